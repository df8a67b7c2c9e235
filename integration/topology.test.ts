/** Topology and delayed binding on real mounts, where they go on from the samples x11, x12 and x14. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView, NodeView, PodView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';

class Node1 extends DaemonProcess {
  protected override get directoryFlags(): readonly string[] {
    const settings = join(this.base, 'moored.yaml');
    writeFileSync(settings, 'node: { name: node1, labels: { rack: rack1 } }\n');
    return ['--config', settings, ...super.directoryFlags];
  }
}

let daemon: DaemonProcess;

const sample = (name: string) => readFileSync(join(import.meta.dirname, 'samples', `${name}.yaml`), 'utf8');

beforeEach(async () => {
  daemon = await new Node1().start();
});

afterEach(async () => {
  await daemon.dispose();
});

async function claimPhase(name: string, phase: string): Promise<void> {
  await eventually(async () => {
    const { code, stdout } = await daemon.ctl('get', 'pvc', name, '-o', 'json');
    const found = code === 0 ? ((JSON.parse(stdout) as ClaimView).status?.phase ?? '') : 'not there';
    return found === phase || `claim ${name} is ${found}`;
  });
}

async function scheduled(name: string): Promise<PodView['status']['conditions'][number] | undefined> {
  const { status } = await daemon.json<PodView>('pod', name);
  return status.conditions.find(({ type }) => type === 'PodScheduled');
}

async function unschedulable(name: string, message: string): Promise<void> {
  await eventually(async () => {
    const condition = await scheduled(name).catch(() => undefined);
    return (condition?.status === 'False' && condition.message === message) || `${name}: ${JSON.stringify(condition)}`;
  });
}

describe('X11, a local volume', () => {
  it('of another node is not bound, and explain names the rule', async () => {
    daemon.apply('local.yaml', sample('x11-local-volume').replace('- node1', '- node7'));
    daemon.apply('pod.yaml', sample('x11-pod'));
    await unschedulable(
      'local-user',
      "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.",
    );
    const { stdout } = await daemon.ctl('explain', 'pvc/local-claim');
    expect(stdout).toContain('nodeAffinity does not match node "node1"');
    expect(stdout).toContain('it makes no volumes');
    const { stdout: described } = await daemon.ctl('describe', 'pod', 'local-user');
    expect(described).toMatch(/PodScheduled\s+False\s+Unschedulable/);
    const wait = await daemon.ctl('wait', 'pod/local-user', '--timeout', '0s');
    expect(wait.stderr).toContain('no node (Unschedulable): 0/1 nodes are available');
  });
});

describe('X12 and X14, topology of a class', () => {
  it('is held against a node of which settings and manifest tell, in either spelling', async () => {
    daemon.apply('nodes.yaml', sample('x14-nodes'));
    await eventually(async () => (await daemon.ctl('get', 'node', 'master')).code === 0 || 'no master');
    const node = await daemon.json<NodeView>('node', 'node1');
    expect(node.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'node1',
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/zone': 'cn-hangzhou-b',
      'failure-domain.beta.kubernetes.io/zone': 'cn-hangzhou-b',
      rack: 'rack1',
    });
    const { stdout } = await daemon.ctl('get', 'nodes');
    expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2).join(' '))).toEqual(
      expect.arrayContaining(['node1 Ready', 'master Unknown', 'node2 Unknown']),
    );
  });
});

describe('a pod that names its node', () => {
  it('binds what waits for it when that is this machine, and is left alone when it is not', async () => {
    daemon.apply('class.yaml', sample('x12-topology-class').replaceAll('cn-hangzhou-d', 'cn-hangzhou-b'));
    daemon.apply('nodes.yaml', sample('x14-nodes'));
    daemon.apply('claim.yaml', sample('x12-claim'));
    daemon.apply('pod.yaml', sample('x14-pod').replace('spec:', 'spec:\n  nodeName: node2'));
    await unschedulable('web', 'the pod is for node "node2", and this machine is "node1"');
    await claimPhase('disk-pvc', 'Pending');
    daemon.apply('pod.yaml', sample('x14-pod').replace('spec:', 'spec:\n  nodeName: node1'));
    await daemon.mounted('web');
  });
});
