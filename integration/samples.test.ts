/** Every YAML file of integration/samples on real mounts: what is done with it, and what must be seen. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Sample, SampleRun } from './samples/sample-run.ts';
import { DaemonProcess } from './support/daemon-process.ts';

/** No packet leaves the machine, whether or not it has a client for NFS or something that listens. */
const noServer = { '192.168.4.1': '127.0.0.1' };
const claimUid = 'CLAIM-UID';
const zoneOfNodes = { 'cn-hangzhou-d': 'cn-hangzhou-b' };
const web = { pod: 'web', volume: 'data' };
const local = { pod: 'local-user', volume: 'data' };

const samples: readonly Sample[] = [
  {
    id: 'X01, X02, X03, X04',
    says: 'a claim finds the volume that was declared, and its pod says what the mount waits for',
    steps: [
      { apply: ['x02-nfs-claim'] },
      { moorctl: 'get pvc', prints: /^nfs-pvc +Pending +<none> +<none> +<none> +<none> +\S+$/m },
      { moorctl: 'explain pvc/nfs-pvc', prints: /no persistent volumes available for this claim/ },
      { apply: ['x01-nfs-volume'], edit: noServer },
      { moorctl: 'get pvc', prints: /^NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS +AGE$/m },
      { moorctl: 'get pvc', prints: /^nfs-pvc +Bound +nfs-pv +10Gi +RWO +<none> +\S+$/m },
      { moorctl: 'get pv', prints: /^nfs-pv +10Gi +RWO +Retain +Bound +default\/nfs-pvc +<none> +<none> +\S+$/m },
      { apply: ['x04-nfs-pod'] },
      { moorctl: 'explain pod/test-nfs', prints: /0 of 1 volumes are mounted[^]*nfs-volume +Failed +FailedMount/ },
      { moorctl: 'explain pod/test-nfs', prints: /Cannot [^\n]*(mount\.nfs|127\.0\.0\.1:\/nfs_storage)/ },
      { moorctl: 'explain pod/test-nfs', prints: /claim default\/nfs-pvc +Bound[^]*bound to volume nfs-pv/ },
    ],
  },
  {
    id: 'X05, X06, X07',
    says: 'a claim asks for the class of its annotation, waits for the program of that class, and gets its volume',
    steps: [
      { apply: ['x05-nfs-class', 'x06-nfs-dynamic-claim'] },
      { moorctl: 'get pvc nfs', prints: /^nfs +Pending +<none> +<none> +<none> +example-nfs +\S+$/m },
      { moorctl: 'explain pvc/nfs', prints: /storageclass\.storage\.k8s\.io "example-nfs" not found/ },
      { moorctl: 'explain pvc/nfs', prints: /class example-nfs +Missing[^]*there are nfs-sc/ },
      { apply: ['x07-example-class'] },
      {
        moorctl: 'explain pvc/nfs',
        prints: /waiting for a volume to be created by the external provisioner "example\.com\/nfs"/,
      },
      { moorctl: 'describe pvc nfs', prints: /volume\.kubernetes\.io\/storage-provisioner=example\.com\/nfs/ },
      { apply: ['x07-provisioned-volume'], edit: { ...noServer, [claimUid]: 'uid of claim nfs' } },
      { moorctl: 'get pvc nfs', prints: /^nfs +Bound +pvc-\S{36} +10Mi +RWX +example-nfs +\S+$/m },
      { moorctl: 'get pv', prints: /^pvc-\S{36} +10Mi +RWX +Delete +Bound +default\/nfs +example-nfs +<none> +\S+$/m },
    ],
  },
  {
    id: 'X08, X09, X10, X13',
    says: 'a snapshot is taken, a claim is made of it, and its content goes with it',
    steps: [
      { apply: ['x13-snapshot-demo'] },
      { mounted: web, fsType: 'ext4' },
      { write: web, text: 'kept' },
      { apply: ['x08-snapshot-class', 'x09-snapshot'] },
      { moorctl: 'get vs', prints: /^disk-snapshot +true +disk-pvc /m },
      { moorctl: 'get vsc', prints: /^snapcontent-\S{36} +true /m },
      { moorctl: 'get vsc -o yaml', prints: /snapshotHandle: default\/disk-snapshot-\S{36}$/m },
      { apply: ['x10-restore-claim'] },
      { mounted: { pod: 'restored', volume: 'data' }, fsType: 'ext4' },
      { read: { pod: 'restored', volume: 'data' }, text: 'kept' },
      { remove: ['x09-snapshot'] },
      { moorctl: 'get vs', prints: /^(?!.*disk-snapshot)/s },
      { moorctl: 'get vsc', prints: /^(?!.*snapcontent)/s },
    ],
  },
  {
    id: 'X11',
    says: 'a directory of this node is bound once the pod is placed, and what is in it stays',
    directories: ['/mnt/disks/vol1'],
    steps: [
      { apply: ['x11-local-volume'] },
      { moorctl: 'describe pvc local-claim', prints: /Normal +WaitForFirstConsumer/ },
      { moorctl: 'get pv', prints: /^local-pv +60Gi +RWO +Retain +Available +<none> +local-storage /m },
      { apply: ['x11-pod'] },
      { mounted: local, fsType: 'ext4' },
      { write: local, text: 'precious' },
      { moorctl: 'get pvc', prints: /^local-claim +Bound +local-pv +60Gi +RWO +local-storage /m },
      { remove: ['x11-pod'] },
      { moorctl: 'get asw', prints: /^(?!.*local-pv)/s },
      { apply: ['x11-pod'] },
      { read: local, text: 'precious' },
    ],
  },
  {
    id: 'X12, X14',
    says: 'a pod that no node fits waits, and is mounted when the class allows its zone',
    steps: [
      { apply: ['x14-nodes', 'x12-topology-class', 'x12-claim'] },
      { moorctl: 'describe pvc disk-pvc', prints: /Normal +WaitForFirstConsumer/ },
      { apply: ['x14-pod'] },
      {
        moorctl: 'describe pod web',
        prints:
          /0\/3 nodes are available: 1 node\(s\) had untolerated taint \{node-role\.kubernetes\.io\/master: \}, 2 node\(s\) didn't find available persistent volumes to bind\./,
      },
      { remove: ['x14-pod'] },
      { moorctl: 'get pods', prints: /^(?!.*web)/s },
      { apply: ['x12-topology-class'], edit: zoneOfNodes },
      { apply: ['x14-pod'] },
      { mounted: { pod: 'web', volume: 'disk' }, fsType: 'ext4' },
      { moorctl: 'get pvc disk-pvc -o yaml', prints: /volume\.kubernetes\.io\/selected-node: node1$/m },
    ],
  },
  {
    id: 'X15',
    says: 'a database has the claim and the volume of its name',
    steps: [
      { apply: ['x15-mysql-statefulset'] },
      { mounted: { pod: 'mysql-0', volume: 'mysql-pvc', namespace: 'mysql-sts' }, fsType: 'ext4' },
      { moorctl: 'get sts -n mysql-sts', prints: /^mysql +1\/1 /m },
      {
        moorctl: 'get pvc -n mysql-sts',
        prints: /^mysql-pvc-mysql-0 +Bound +pvc-\S{36} +1Gi +RWO +mysql-nfs-storage +\S+$/m,
      },
    ],
  },
  {
    id: 'X16',
    says: 'the init container and nginx share one volume',
    steps: [
      { apply: ['x16-init-container'] },
      { mounted: { pod: 'init-demo', volume: 'workdir' }, fsType: 'none' },
      { moorctl: 'get pods', prints: /^init-demo +1\/1 +Ready /m },
    ],
  },
  {
    id: 'X17',
    says: 'of two classes the one of the annotation makes the volume, in its directory',
    directories: ['/srv/disk', '/srv/ssd'],
    steps: [
      { apply: ['x17-slow-and-fast'] },
      { mounted: { pod: 'quick', volume: 'data' }, fsType: 'ext4', imageBelow: '/srv/ssd' },
      { moorctl: 'get pvc', prints: /^claim1 +Bound +pvc-\S{36} +30Mi +RWO +fast +\S+$/m },
    ],
  },
  {
    id: 'X18',
    says: 'mounts of volumes that nobody declared are refused; put right, the pod says what has no plugin',
    steps: [
      { apply: ['x18-test-pod'] },
      {
        moorctl: 'get manifests',
        prints:
          /^x18-test-pod\.yaml +bad +0 +0 +document 1, line \d+, spec\.containers\[0\]\.volumeMounts\[0\]\.name: volume "test-volume" is not declared in spec\.volumes/m,
      },
      { moorctl: 'get pods', prints: /^(?!.*test-pod)/s },
      { moorctl: 'get manifests -o yaml', prints: /volume \\"special-volume\\" is not declared in spec\.volumes/ },
      { remove: ['x18-test-pod'] },
      { apply: ['x18-corrected'] },
      { mounted: { pod: 'test-pod', volume: 'cache-volume' }, fsType: 'none' },
      { moorctl: 'get pods', prints: /^test-pod +1\/4 +Pending /m },
      { moorctl: 'explain pod/test-pod', prints: /host-volume +Pending[^]*no plugin supports source "hostPath"/ },
      { moorctl: 'explain pod/test-pod', prints: /config-volume +Pending[^]*no plugin supports source "configMap"/ },
      { moorctl: 'explain pod/test-pod', prints: /secret-volume +Pending[^]*no plugin supports source "secret"/ },
    ],
  },
];

describe('the sample', () => {
  let daemon: DaemonProcess;

  beforeEach(async () => {
    daemon = new DaemonProcess();
    daemon.configFile = join(daemon.base, 'moored.yaml');
    // The samples of topology know this machine as node1.
    writeFileSync(daemon.configFile, 'node: { name: node1 }\n');
    await daemon.start();
  });

  afterEach(async () => {
    await daemon.dispose();
  });

  it.each(samples)('$id: $says', async (sample) => {
    await new SampleRun(daemon, sample).run();
  });
});

describe('the table', () => {
  it('has every file of the folder', () => {
    const steps = samples.flatMap((sample) => sample.steps);
    const applied = steps.flatMap((step) => ('apply' in step ? step.apply.map((name) => `${name}.yaml`) : []));
    const files = readdirSync(join(import.meta.dirname, 'samples')).filter((name) => name.endsWith('.yaml'));
    expect([...new Set(applied)].sort()).toEqual(files.sort());
  });
});
