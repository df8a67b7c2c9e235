/** The manifests of the tests, as a user would write them. */

export function storageClass(name: string, lines: readonly string[] = []): string {
  return ['apiVersion: storage.k8s.io/v1', 'kind: StorageClass', 'metadata:', `  name: ${name}`]
    .concat('provisioner: loop.moored.dev', lines)
    .join('\n');
}

export interface ClaimOptions {
  readonly size?: string;
  readonly storageClass?: string;
  readonly mode?: 'Filesystem' | 'Block';
  readonly volumeName?: string;
  readonly accessMode?: string;
}

export function claim(name: string, options: ClaimOptions = {}): string {
  const { size = '64Mi', storageClass: className = 'fast', mode, volumeName, accessMode = 'ReadWriteOnce' } = options;
  return [
    'apiVersion: v1',
    'kind: PersistentVolumeClaim',
    `metadata: { name: ${name} }`,
    'spec:',
    `  accessModes: [${accessMode}]`,
    `  storageClassName: "${className}"`,
    ...(mode === undefined ? [] : [`  volumeMode: ${mode}`]),
    ...(volumeName === undefined ? [] : [`  volumeName: ${volumeName}`]),
    `  resources: { requests: { storage: ${size} } }`,
  ].join('\n');
}

/** @param volumes name to source, in YAML flow style: {data: '{ persistentVolumeClaim: { claimName: data } }'} */
export function pod(name: string, volumes: Readonly<Record<string, string>>, mode = 'Filesystem'): string {
  const names = Object.keys(volumes);
  const uses =
    mode === 'Block'
      ? names.map((volume) => `        - { name: ${volume}, devicePath: /dev/${volume} }`)
      : names.map((volume) => `        - { name: ${volume}, mountPath: /mnt/${volume} }`);
  return [
    'apiVersion: v1',
    'kind: Pod',
    `metadata: { name: ${name} }`,
    'spec:',
    '  containers:',
    '    - name: main',
    '      image: example.org/app:1',
    `      ${mode === 'Block' ? 'volumeDevices' : 'volumeMounts'}:`,
    ...uses,
    '  volumes:',
    ...Object.entries(volumes).map(([volume, source]) => `    - { name: ${volume}, ${source} }`),
  ].join('\n');
}

export function claimVolume(claimName: string, readOnly = false): string {
  return `persistentVolumeClaim: { claimName: ${claimName}, readOnly: ${readOnly} }`;
}

/** The example of the README: a class, a claim of 64Mi, a pod that uses it. */
export function web(podName = 'web', claimName = 'data'): string {
  return documents(storageClass('fast'), claim(claimName), pod(podName, { data: claimVolume(claimName) }));
}

export function documents(...parts: readonly string[]): string {
  return `${parts.join('\n---\n')}\n`;
}

export interface StaticVolumeOptions {
  readonly fsType?: string;
  /** Further lines of the spec. */
  readonly lines?: readonly string[];
}

/** A PersistentVolume on an image or device that is there. */
export function staticVolume(name: string, path: string, options: StaticVolumeOptions = {}): string {
  const { fsType = 'ext4', lines = [] } = options;
  return [
    'apiVersion: v1',
    'kind: PersistentVolume',
    `metadata: { name: ${name} }`,
    'spec:',
    '  capacity: { storage: 64Mi }',
    '  accessModes: [ReadWriteOnce]',
    '  storageClassName: ""',
    '  persistentVolumeReclaimPolicy: Retain',
    '  csi:',
    '    driver: loop.moored.dev',
    `    volumeHandle: ${name}`,
    `    fsType: ${fsType}`,
    `    volumeAttributes: { path: ${path} }`,
    ...lines,
  ].join('\n');
}

/** Its pods mount what they claim by template "data"; `lines` are further ones of its spec. */
export function statefulSet(name: string, replicas: number, lines: readonly string[] = [], size = '32Mi'): string {
  return [
    'apiVersion: apps/v1',
    'kind: StatefulSet',
    `metadata: { name: ${name} }`,
    'spec:',
    `  replicas: ${replicas}`,
    `  serviceName: ${name}`,
    `  selector: { matchLabels: { app: ${name} } }`,
    ...lines.map((line) => `  ${line}`),
    '  template:',
    `    metadata: { labels: { app: ${name} } }`,
    '    spec:',
    '      containers: [{ name: main, image: example.org/db:1, volumeMounts: [{ name: data, mountPath: /data }] }]',
    '  volumeClaimTemplates:',
    '    - metadata: { name: data }',
    '      spec:',
    '        accessModes: [ReadWriteOnce]',
    '        storageClassName: fast',
    `        resources: { requests: { storage: ${size} } }`,
  ].join('\n');
}
