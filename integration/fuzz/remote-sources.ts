import type { Random } from './random.ts';
import type { Tree } from './tree.ts';

/** Stands in every generated Secret: it must never be seen again in an object, an event or a path. */
export const secretMarker = 'open-sesame-1001';

export function secret(random: Random, name: string): Tree {
  const password = { 'node.session.auth.password': secretMarker };
  const encoded = { 'node.session.auth.password': Buffer.from(secretMarker).toString('base64') };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/iscsi-chap',
    ...(random.chance(2) ? { stringData: password } : { data: encoded }),
  };
}

/** nfs and iscsi are spelled alike in a pod and in a PersistentVolume. */
export function remoteSource(random: Random, name: string): Tree {
  if (random.chance(2)) {
    return {
      nfs: {
        server: random.pick(['files.example.org', '192.0.2.7', '2001:db8::7', 'fe80::1%eth0']),
        path: random.pick(['/', '/srv/data', '/srv/a b', '/a:b']),
        ...(random.chance(2) ? { readOnly: random.chance(2) } : {}),
      },
    };
  }
  return {
    iscsi: {
      targetPortal: random.pick(['192.0.2.7', '192.0.2.7:3260', '[2001:db8::7]:3260']),
      iqn: `iqn.2026-01.org.example:${name}`,
      lun: random.below(20),
      fsType: random.pick(['ext4', 'xfs']),
      ...(random.chance(2) ? { chapAuthSession: true, secretRef: { name: 'secret-0' } } : {}),
      ...(random.chance(3) ? { portals: ['192.0.2.8'] } : {}),
    },
  };
}
