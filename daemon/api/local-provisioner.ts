/** What local.moored.dev accepts in a StorageClass. */
import { absolutePathProblem } from './field-schemas.ts';
import { unknownField, type Violation } from './schema.ts';

export const localProvisioner = 'local.moored.dev';

/** `parameters: {directory}`. Keys with a prefix are other people's, and pass. */
export function localClassProblems(parameters: Readonly<Record<string, string>>): readonly Violation[] {
  const { directory, ...others } = parameters;
  const unknown = Object.keys(others).filter((key) => !key.includes('/'));
  const problem =
    directory === undefined
      ? 'required: an existing directory of root, outside of rootDir'
      : absolutePathProblem(directory);
  return [
    ...unknown.map((key) => ({ keys: [key], message: unknownField(key, ['directory']) })),
    ...(problem === undefined ? [] : [{ keys: ['directory'], message: problem }]),
  ];
}
