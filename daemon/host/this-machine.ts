import { arch, hostname } from 'node:os';

/** Go's names of processors, which Kubernetes uses; another one goes by Node's. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
]);

/**
 * This machine as the kubelet would register it.
 * @param name the name it shall have; by default its host name, in lower case as the kubelet has it
 */
export function thisMachine(name = hostname().trim().toLowerCase()): {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
} {
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architectures.get(arch()) ?? arch(),
  };
  return { name, labels };
}
