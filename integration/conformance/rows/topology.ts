import type { Area } from '../row.ts';

export const topology: Area = {
  title: 'Topology',
  rows: [
    { id: 'O01', says: 'Region, zone and hostname are labels of the node; the beta keys are aliases.', tests: [] },
    { id: 'O02', says: 'Any key can be a topology.', tests: [] },
    { id: 'O03', says: "A volume's nodeAffinity says where it may be used.", tests: [] },
    { id: 'O04', says: 'A local volume of another node is not bound for a pod of this one.', tests: [] },
    { id: 'O05', says: 'A volume is not made in a zone where its pod cannot run.', tests: [] },
    { id: 'O06', says: 'Binding and provisioning wait until the pod is placed.', tests: ['pv/1-13'] },
    { id: 'O07', says: 'Controller, provisioner and placement know the node.', tests: [] },
    { id: 'O08', says: 'A local volume is declared, and bound when its pod is placed.', tests: [] },
    { id: 'O09', says: 'A class with no-provisioner makes no volumes.', tests: ['pv/13-5'] },
    { id: 'O10', says: 'allowedTopologies limit where volumes are made and pods placed.', tests: [] },
    { id: 'O11', says: 'A pod is placed on this node, or held.', tests: [] },
    { id: 'O12', says: 'Bound and delayed claims of a pod are looked at.', tests: [] },
    { id: 'O13', says: 'A bound volume of another place keeps its pod from this node.', tests: [] },
    { id: 'O14', says: 'A delayed claim is matched with volumes that this node may use.', tests: [] },
    { id: 'O15', says: 'Without a match the class must allow this node.', tests: [] },
    { id: 'O16', says: 'What was chosen for a pod is not given to another.', tests: [] },
    { id: 'O17', says: 'The choice starts binding or provisioning.', tests: [] },
  ],
};
