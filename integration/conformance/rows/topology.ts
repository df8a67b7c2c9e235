import type { Area } from '../row.ts';

export const topology: Area = {
  title: 'Topology',
  rows: [
    {
      id: 'O01',
      says: 'Region, zone and hostname are labels of the node; the beta keys are aliases.',
      tests: [
        'integration/topology.test.ts > is held against a node of which settings and manifest tell, in either spelling',
      ],
    },
    { id: 'O02', says: 'Any key can be a topology.', tests: ['sch/nodes,later'] },
    {
      id: 'O03',
      says: "A volume's nodeAffinity says where it may be used.",
      tests: ['daemon/plan/node-affinity.test.ts > matchesNode', 'sch/bound,node-conflict'],
    },
    {
      id: 'O04',
      says: 'A local volume of another node is not bound for a pod of this one.',
      tests: [
        'sch/unbound,pv-different-node',
        'integration/topology.test.ts > of another node is not bound, and explain names the rule',
      ],
    },
    {
      id: 'O05',
      says: 'A volume is not made in a zone where its pod cannot run.',
      tests: ['sch/provisioned,topology-unsatisfied'],
    },
    {
      id: 'O06',
      says: 'Binding and provisioning wait until the pod is placed.',
      tests: ['pv/1-13', 'sch/unbound,no-pod', 'sch/provisioned'],
    },
    {
      id: 'O07',
      says: 'Controller, provisioner and placement know the node.',
      tests: ['sch/provisioned,selected', 'sch/provisioned,immediate-topology'],
    },
    {
      id: 'O08',
      says: 'A local volume is declared, and bound when its pod is placed.',
      tests: ['integration/samples.test.ts > X11'],
    },
    {
      id: 'O09',
      says: 'A class with no-provisioner makes no volumes.',
      tests: ['pv/13-5', 'sch/provisioned,invalid-provisioner'],
    },
    {
      id: 'O10',
      says: 'allowedTopologies limit where volumes are made and pods placed.',
      tests: ['sch/provisioned,topology-satisfied', 'sch/provisioned,immediate-topology'],
    },
    { id: 'O11', says: 'A pod is placed on this node, or held.', tests: ['sch/pod,selector', 'sch/pod,own-node'] },
    { id: 'O12', says: 'Bound and delayed claims of a pod are looked at.', tests: ['sch/one-bound,one-unbound'] },
    {
      id: 'O13',
      says: 'A bound volume of another place keeps its pod from this node.',
      tests: ['sch/bound,node-conflict'],
    },
    {
      id: 'O14',
      says: 'A delayed claim is matched with volumes that this node may use.',
      tests: ['sch/unbound,pv-same-node', 'sch/two-unbound,order-by-size'],
    },
    {
      id: 'O15',
      says: 'Without a match the class must allow this node.',
      tests: ['sch/provisioned,topology-unsatisfied', 'sch/capacity,1Gi-for-1.5Gi'],
    },
    {
      id: 'O16',
      says: 'What was chosen for a pod is not given to another.',
      tests: ['sch/two-unbound,same-size', 'sch/two-unbound,partial-match'],
    },
    {
      id: 'O17',
      says: 'The choice starts binding or provisioning.',
      tests: ['sch/provisioned,selected', 'integration/samples.test.ts > X12, X14'],
    },
  ],
};
