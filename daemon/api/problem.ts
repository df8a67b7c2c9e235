/** Where something is in a document: keys of mappings and indices of lists, from the top. */
export type DocumentPath = readonly (string | number)[];

/** What is wrong with a document, and where. */
export interface Problem {
  readonly keys: DocumentPath;
  /** The same as text: "spec.volumes[0].emptyDir.medium"; '' is the whole document. */
  readonly path: string;
  readonly message: string;
}

export function problemAt(keys: DocumentPath, message: string): Problem {
  return { keys, path: pathText(keys), message };
}

const plainKey = /^[A-Za-z_][\w-]*$/;

export function pathText(keys: DocumentPath): string {
  let text = '';
  for (const key of keys) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (plainKey.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}
