import { readFileSync } from 'node:fs';
import type { MountInfo } from '../world/mount-info.ts';
import { MountTable } from '../world/mount-table.ts';
import { inCoverOrder } from './cover-order.ts';
import { parseMountInfoLine } from './mount-info-text.ts';
import type { MountTableReader } from './mount-table-reader.ts';
import { isSameIds, listMountIds, mountInfoId } from './statmount.ts';

/** How often to try again for a text and a list of ids between which nothing changed. */
const ATTEMPTS = 5;

interface KnownLine {
  readonly line: string;
  readonly info: MountInfo;
}

/**
 * The whole table from the text of mountinfo: about 3 us a mount, half of what statmount(2) needs from JavaScript, and
 * nothing is left unread. Only lines that changed are parsed.
 *
 * The ids in the text are used again for other mounts, so an unmount and a mount in between can leave the same text.
 * With `uniqueIds` (listmount, 6.8) each mount gets the id that is never used again; without it, the table after a change
 * is a new one always.
 */
export class MountInfoReader implements MountTableReader {
  readonly leavesRest = false;
  readonly #uniqueIds: boolean;
  #text = '';
  #ids: BigUint64Array = new BigUint64Array();
  /** The id in the text by unique id, of the mounts in `#ids`, and the reverse. */
  #textIdById: ReadonlyMap<bigint, string> = new Map();
  #idByTextId: ReadonlyMap<string, bigint> = new Map();
  /** By the id in the text. */
  #lines: ReadonlyMap<string, KnownLine> = new Map();
  #table = new MountTable([]);

  constructor(uniqueIds: boolean) {
    this.#uniqueIds = uniqueIds;
  }

  read(afterChange: boolean): MountTable {
    const { text, ids } = this.#uniqueIds ? readTogether() : { text: readText(), ids: this.#ids };
    const isNewSet = !isSameIds(ids, this.#ids);
    const isUnproven = afterChange && !this.#uniqueIds;
    if (text === this.#text && !isNewSet && !isUnproven) return this.#table;
    if (isNewSet) this.#mapIds(ids);
    const lines = this.#readLines(text);
    this.#table = new MountTable(inCoverOrder([...lines.values()].map((known) => known.info)));
    this.#text = text;
    this.#ids = ids;
    this.#lines = lines;
    return this.#table;
  }

  readRest(): Promise<MountTable> {
    return Promise.resolve(this.#table);
  }

  /** A mount keeps both its ids as long as it lives: only new ones are asked for. */
  #mapIds(ids: BigUint64Array): void {
    const textIdById = new Map<bigint, string>();
    const idByTextId = new Map<string, bigint>();
    for (const id of ids) {
      const textId = this.#textIdById.get(id) ?? mountInfoId(id)?.toString();
      if (textId === undefined) continue;
      textIdById.set(id, textId);
      idByTextId.set(textId, id);
    }
    this.#textIdById = textIdById;
    this.#idByTextId = idByTextId;
  }

  #readLines(text: string): ReadonlyMap<string, KnownLine> {
    const lines = new Map<string, KnownLine>();
    for (const line of text.replace(/\n$/, '').split('\n')) {
      const textId = line.slice(0, line.indexOf(' '));
      const id = this.#idByTextId.get(textId);
      const known = this.#lines.get(textId);
      const isKnown = known?.line === line && (id === undefined || id === known.info.id);
      lines.set(textId, isKnown ? known : this.#newLine(line));
    }
    return lines;
  }

  /** A copy: V8 makes a substring by reference, so that each line would keep the whole text it was first read in. */
  #newLine(substring: string): KnownLine {
    const line = Buffer.from(substring).toString();
    return { line, info: this.#withUniqueIds(parseMountInfoLine(line)) };
  }

  #withUniqueIds(info: MountInfo): MountInfo {
    const id = this.#idByTextId.get(info.id.toString()) ?? info.id;
    return { ...info, id, parentId: this.#idByTextId.get(info.parentId.toString()) ?? info.parentId };
  }
}

/** Text and ids of one moment: the ids before and after are the same. In a storm the last try is as good as any. */
function readTogether(): { readonly text: string; readonly ids: BigUint64Array } {
  let ids = listMountIds();
  for (let attempt = 1; ; attempt += 1) {
    const text = readText();
    const after = listMountIds();
    if (isSameIds(ids, after) || attempt === ATTEMPTS) return { text, ids: after };
    ids = after;
  }
}

function readText(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}
