import { type ExplainableKind, type ExplainNode, explainableKinds } from '../../control/protocol.ts';
import { ageOf, formatAge } from '../age.ts';
import {
  type CommandContext,
  type CommandSpec,
  namespaceOf,
  namespaceOption,
  type OptionValues,
  structuredOutputOption,
} from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { parseReference } from '../resources/resource-reference.ts';
import { printStructured } from '../structured-output.ts';
import type { Style } from '../style.ts';
import { formatTree, type TreeNode } from '../tree.ts';

export const explainCommand: CommandSpec = {
  name: 'explain',
  summary: 'show what a pod, a claim or a StatefulSet waits for, and why',
  arguments: [
    {
      name: 'KIND/NAME',
      description: 'pod/NAME, pvc/NAME or sts/NAME',
      required: true,
      variadic: true,
      completes: 'pod',
    },
  ],
  options: [namespaceOption, structuredOutputOption],
  run: explain,
};

async function explain(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output, style, signal, now } = context;
  const { kind, name } = parseReference(args);
  const explainable: ExplainableKind | undefined = explainableKinds.find((known) => known === kind);
  if (explainable === undefined) throw new UsageError(`Cannot explain ${kind}: wanted pod/NAME, pvc/NAME or sts/NAME`);
  const node = await client.explain(explainable, namespaceOf(options), name, signal);
  if (printStructured(context, options, node)) return exitCode.ok;
  output.print(formatTree(explainTree(escapeControls(node), style, now()), style));
  return exitCode.ok;
}

/** "subject   state   reason   age", and below it what is the matter, then the causes. */
function explainTree(node: ExplainNode, style: Style, nowMs: number): TreeNode {
  const age = node.since === '' ? [] : [ageOf(node.since, nowMs)];
  const label = [node.subject, style.state(node.state), node.reason ?? '', ...age]
    .filter((part) => part !== '')
    .join('   ');
  const detail = detailOf(node, style);
  const details = detail === '' ? [] : [{ label: detail, children: [] }];
  return { label, children: [...details, ...node.causes.map((cause) => explainTree(cause, style, nowMs))] };
}

function detailOf({ detail, nextRetryMs, help }: ExplainNode, style: Style): string {
  const next = nextRetryMs === undefined ? '' : `next attempt in ${formatAge(nextRetryMs)}`;
  const retry = detail === '' || next === '' ? next : `(${next})`;
  const text = [detail, retry].filter((part) => part !== '').join(' ');
  if (help === undefined || help === '') return text;
  const arrow = style.hasUnicode ? '→' : '->';
  const advice = help.split('\n').map((line) => `${arrow} ${line}`);
  return [...(text === '' ? [] : [text]), ...advice].join('\n');
}
