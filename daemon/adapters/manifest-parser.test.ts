import { describe, expect, it } from 'vitest';
import { parseManifest } from './manifest-parser.ts';

const good = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: loop.moored.dev
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  resources:
    requests:
      storage: 64Mi
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: other
---
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: main
    image: nginx:alpine
    volumeMounts:
    - {name: data, mountPath: /data}
  volumes:
  - name: data
    persistentVolumeClaim:
      claimName: data
`;

describe('parseManifest', () => {
  it('takes what moored manages and lists the rest as ignored', () => {
    const file = parseManifest('web.yaml', good);
    expect(file).toMatchObject({
      name: 'web.yaml',
      state: 'good',
      ignored: [{ document: 3, apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }],
      problems: [],
    });
    expect(file.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'StorageClass fast',
      'PersistentVolumeClaim data',
      'Pod web',
    ]);
  });

  it('says file, document, line and path of a problem, and keeps the last good version whole', () => {
    const before = parseManifest('web.yaml', good);
    const file = parseManifest('web.yaml', good.replace('claimName: data', 'claimname: data'), before);
    expect(file.state).toBe('bad');
    expect(file.objects).toBe(before.objects);
    expect(file.ignored).toBe(before.ignored);
    expect(file.problems).toEqual([
      {
        file: 'web.yaml',
        document: 4,
        line: 34,
        path: 'spec.volumes[0].persistentVolumeClaim.claimName',
        message: 'required',
      },
      {
        file: 'web.yaml',
        document: 4,
        line: 35,
        path: 'spec.volumes[0].persistentVolumeClaim.claimname',
        message: 'unknown field, did you mean "claimName"?',
      },
    ]);
  });

  it('takes nothing of a file that ends in the middle of a document', () => {
    const cut = good.indexOf('claimName: data');
    expect(parseManifest('web.yaml', good.slice(0, cut))).toMatchObject({ state: 'bad', objects: [] });
  });

  it('keeps the last good version through several bad ones', () => {
    const first = parseManifest('a.yaml', good);
    const second = parseManifest('a.yaml', 'a: [', first);
    const third = parseManifest('a.yaml', 'b: [', second);
    expect(third).toMatchObject({ state: 'bad', objects: first.objects });
  });

  it('names at most twenty of many objects that are declared twice', () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: chap }\nstringData: { a: b }\n';
    for (const text of [good, secret]) {
      expect(parseManifest('a.yaml', Array(50).fill(text).join('---\n')).problems).toHaveLength(20);
    }
  });

  it('refuses one object twice in a file', () => {
    const twice = `${good}---\n${good}`;
    expect(parseManifest('web.yaml', twice).problems).toMatchObject([
      { document: 5, message: 'StorageClass/fast is declared twice in this file' },
      { document: 6, message: 'PersistentVolumeClaim/default/data is declared twice in this file' },
      { document: 8, message: 'Pod/default/web is declared twice in this file' },
    ]);
  });

  it('takes an empty file as one that declares nothing', () => {
    expect(parseManifest('empty.yaml', '# soon\n')).toMatchObject({ state: 'good', objects: [], problems: [] });
  });

  it('reports a few problems of a file that has thousands', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => `wrong${index}: 1`).join('\n');
    expect(parseManifest('a.yaml', `apiVersion: v1\nkind: Pod\n${keys}`).problems).toHaveLength(20);
  });
});

describe('YAML of a real cluster', () => {
  it('works unchanged: kubectl get pod,pvc,pv,sc,svc -o yaml', () => {
    const file = parseManifest('export.yaml', exported);
    expect(file.problems).toEqual([]);
    expect(file.ignored).toMatchObject([{ kind: 'Service', name: 'nfs' }]);
    expect(file.objects).toMatchObject([
      { kind: 'Pod', metadata: { name: 'test-nfs', namespace: 'shop' }, status: { phase: 'Running' } },
      { kind: 'PersistentVolumeClaim', spec: { volumeName: 'nfs-pv', storageClassName: '' } },
      {
        kind: 'PersistentVolume',
        spec: { claimRef: { namespace: 'shop', name: 'nfs-pvc' }, nfs: { path: '/nfs_storage' } },
      },
      {
        kind: 'StorageClass',
        spec: { provisioner: 'example.com/nfs', mountOptions: ['vers=4.1'], reclaimPolicy: 'Delete' },
      },
    ]);
    const [pod, claim] = file.objects;
    expect(pod?.spec).toMatchObject({
      containers: [{ image: 'nginx:alpine', resources: {} }],
      restartPolicy: 'Always',
    });
    expect(claim?.metadata.annotations).toEqual({ 'volume.beta.kubernetes.io/storage-class': 'example-nfs' });
  });

  it('with mounts of volumes that are not declared is refused, and each is named', () => {
    const text = `apiVersion: v1
kind: Pod
metadata: {name: test-pod}
spec:
  containers:
  - name: test
    volumeMounts:
    - {name: test-volume, mountPath: /test}
    - {name: special-volume, mountPath: /special}
  volumes:
  - name: cache-volume
    emptyDir: {}
  - name: config
    configMap: {name: special-config}
`;
    expect(parseManifest('x18.yaml', text).problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '8: volume "test-volume" is not declared in spec.volumes, which has cache-volume, config',
      '9: volume "special-volume" is not declared in spec.volumes, which has cache-volume, config',
    ]);
  });
});

const exported = `apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{},"name":"test-nfs"}}
    creationTimestamp: "2026-03-01T10:00:00Z"
    generateName: test-
    managedFields:
    - apiVersion: v1
      fieldsType: FieldsV1
      fieldsV1:
        f:spec:
          f:containers:
            k:{"name":"web"}:
              .: {}
              f:image: {}
      manager: kubectl-client-side-apply
      operation: Update
      time: "2026-03-01T10:00:00Z"
    name: test-nfs
    namespace: shop
    ownerReferences:
    - apiVersion: apps/v1
      blockOwnerDeletion: true
      controller: true
      kind: ReplicaSet
      name: test
      uid: 11111111-2222-3333-4444-555555555555
    resourceVersion: "1234"
    uid: 11111111-2222-3333-4444-666666666666
  spec:
    containers:
    - image: nginx:alpine
      imagePullPolicy: IfNotPresent
      name: web
      resources: {}
      terminationMessagePath: /dev/termination-log
      volumeMounts:
      - mountPath: /data
        name: nfs-volume
      - mountPath: /var/run/secrets/kubernetes.io/serviceaccount
        name: kube-api-access-abcde
        readOnly: true
    dnsPolicy: ClusterFirst
    nodeName: node-1
    restartPolicy: Always
    securityContext: {}
    tolerations:
    - effect: NoExecute
      key: node.kubernetes.io/not-ready
      operator: Exists
      tolerationSeconds: 300
    volumes:
    - name: nfs-volume
      persistentVolumeClaim:
        claimName: nfs-pvc
    - name: kube-api-access-abcde
      projected:
        defaultMode: 420
        sources:
        - serviceAccountToken:
            expirationSeconds: 3607
            path: token
  status:
    conditions:
    - lastProbeTime: null
      status: "True"
      type: Ready
    phase: Running
    podIP: 10.1.2.3
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    annotations:
      pv.kubernetes.io/bind-completed: "yes"
      pv.kubernetes.io/bound-by-controller: "yes"
      volume.beta.kubernetes.io/storage-class: example-nfs
    finalizers:
    - kubernetes.io/pvc-protection
    name: nfs-pvc
    namespace: shop
    uid: 11111111-2222-3333-4444-777777777777
  spec:
    accessModes:
    - ReadWriteOnce
    resources:
      requests:
        storage: 10Gi
    storageClassName: ""
    volumeMode: Filesystem
    volumeName: nfs-pv
  status:
    accessModes:
    - ReadWriteOnce
    capacity:
      storage: 10Gi
    phase: Bound
- apiVersion: v1
  kind: PersistentVolume
  metadata:
    creationTimestamp: null
    name: nfs-pv
  spec:
    accessModes:
    - ReadWriteOnce
    capacity:
      storage: 10Gi
    claimRef:
      apiVersion: v1
      kind: PersistentVolumeClaim
      name: nfs-pvc
      namespace: shop
      resourceVersion: "1200"
      uid: 11111111-2222-3333-4444-777777777777
    nfs:
      path: /nfs_storage
      server: 192.168.4.1
    persistentVolumeReclaimPolicy: Retain
    volumeMode: Filesystem
  status:
    phase: Bound
- allowVolumeExpansion: true
  apiVersion: storage.k8s.io/v1
  kind: StorageClass
  metadata:
    name: nfs-sc
  mountOptions:
  - vers=4.1
  provisioner: example.com/nfs
  reclaimPolicy: Delete
  volumeBindingMode: Immediate
- apiVersion: v1
  kind: Service
  metadata:
    name: nfs
kind: List
metadata:
  resourceVersion: ""
`;
