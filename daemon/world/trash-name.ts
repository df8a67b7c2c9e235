/** Where an image in a trash was: `<dir>/.trash/<name>.<time>` was `<dir>/<name>`. Undefined for any other path. */
export function pathBeforeTrash(trashed: string): string | undefined {
  const match = /^(.*)\/\.trash\/([^/]+)\.\d{8}T\d{6}(?:\.\d+)?Z(?:-\d+)?$/.exec(trashed);
  return match === null ? undefined : `${match[1]}/${match[2]}`;
}
