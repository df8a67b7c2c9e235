import type { LabelSelector } from './persistent-volume-claim.ts';

interface SetRequirement {
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** Whether a selector matches these labels (metav1.LabelSelectorAsSelector); no selector matches all. */
export function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  const matchLabels = Object.entries(selector?.matchLabels ?? {});
  const expressions = selector?.matchExpressions ?? [];
  return (
    matchLabels.every(([key, value]) => labels[key] === value) &&
    expressions.every((requirement) => meetsSetRequirement(requirement, labels[requirement.key]))
  );
}

/** As upstream, what is not there is in no set: NotIn holds of it (labels.Requirement.Matches). */
export function meetsSetRequirement({ operator, values = [] }: SetRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}
