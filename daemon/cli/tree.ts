import type { Style } from './style.ts';

/** A line and what hangs below it; a label of several lines is continued below itself. */
export interface TreeNode {
  readonly label: string;
  readonly children: readonly TreeNode[];
}

interface Branches {
  readonly middle: string;
  readonly last: string;
  readonly through: string;
}

const unicode: Branches = { middle: '├─ ', last: '└─ ', through: '│  ' };
const ascii: Branches = { middle: '|- ', last: '`- ', through: '|  ' };
const blank = '   ';

export function formatTree(root: TreeNode, style: Style): string {
  const branches = style.hasUnicode ? unicode : ascii;
  return [...labelLines(root, '', rail(root.children.length > 0, branches)), ...below(root, branches)].join('\n');
}

function below(node: TreeNode, branches: Branches): string[] {
  return node.children.flatMap((child, index) => {
    const isLast = index === node.children.length - 1;
    const trunk = isLast ? blank : branches.through;
    const own = labelLines(
      child,
      isLast ? branches.last : branches.middle,
      trunk + rail(child.children.length > 0, branches),
    );
    return [...own, ...below(child, branches).map((line) => trunk + line)];
  });
}

/** What stands before a continued label, so that the line to the children below is not broken. */
function rail(hasChildren: boolean, branches: Branches): string {
  return hasChildren ? branches.through : '';
}

function labelLines(node: TreeNode, first: string, rest: string): string[] {
  return node.label.split('\n').map((line, index) => (index === 0 ? first : rest) + line);
}
