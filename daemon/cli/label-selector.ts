import { UsageError } from './exit-code.ts';

type Labels = Readonly<Record<string, string>>;

/** True for labels that a selector picks. */
export type LabelMatcher = (labels: Labels) => boolean;

/**
 * kubectl's -l: requirements joined by commas, all of which must hold: `a=b`, `a==b`, `a!=b`, `a in (b,c)`,
 * `a notin (b,c)`, `a`, `!a`. As in Kubernetes, != and notin also hold when the label is missing.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = splitOutsideParentheses(text).map((part) => parseRequirement(part.trim(), text));
  return (labels) => requirements.every((holds) => holds(labels));
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

function parseRequirement(part: string, selector: string): LabelMatcher {
  const set = /^([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => isOneOf(labels, key, values) === (operator === 'in');
  }
  const equality = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(part);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return (labels) => isOneOf(labels, key, [value]) === (operator !== '!=');
  }
  const existence = /^(!?)\s*([\w./-]+)$/.exec(part);
  if (existence === null) {
    throw new UsageError(
      `Cannot read the selector "${selector}": "${part}" is not key=value, key!=value, key in (a,b), key or !key`,
    );
  }
  const [, not, key = ''] = existence;
  return (labels) => Object.hasOwn(labels, key) === (not === '');
}

function isOneOf(labels: Labels, key: string, values: readonly string[]): boolean {
  return Object.hasOwn(labels, key) && values.includes(labels[key] ?? '');
}
