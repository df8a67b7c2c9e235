/** Room for what the trash adds to a file name of at most 255 bytes. */
const longestName = 200;

/**
 * A file name for people: the object's name, cut if need be, then what makes it unique.
 * @param unique ends with the uid of the claim or pod
 */
export function imageName(objectName: string, unique: string): string {
  const suffix = `${unique}.img`;
  return `${objectName.slice(0, longestName - suffix.length)}${suffix}`;
}
