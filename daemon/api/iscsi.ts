/** iSCSI volume sources of core/v1 (ISCSIVolumeSource, ISCSIPersistentVolumeSource). */
export interface IscsiVolumeSource {
  readonly targetPortal: string;
  readonly iqn: string;
  readonly lun: number;
  readonly iscsiInterface?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly portals?: readonly string[];
  readonly chapAuthDiscovery?: boolean;
  readonly chapAuthSession?: boolean;
  /** In a pod the namespace is the pod's; in a PersistentVolume without one, that of the claim. */
  readonly secretRef?: { readonly name: string; readonly namespace?: string };
  readonly initiatorName?: string;
}
