import type { CommandContext, OptionValues } from './command.ts';
import { toJson } from './escape-controls.ts';
import { toYaml } from './yaml-printer.ts';

/** Prints the value when -o json or -o yaml asks for it; false when text is wanted. */
export function printStructured({ output }: CommandContext, options: OptionValues, value: unknown): boolean {
  const format = options.text('output');
  if (format === 'json') output.print(toJson(value));
  if (format === 'yaml') output.print(toYaml(value));
  return format === 'json' || format === 'yaml';
}
