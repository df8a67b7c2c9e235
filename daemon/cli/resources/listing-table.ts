import type { ResourceKind } from '../../control/protocol.ts';
import type { Style } from '../style.ts';
import { cellText, columnWidths, formatTable } from '../table.ts';
import type { Entry } from './listing.ts';
import { resources } from './resources.ts';

export interface ListingTableOptions {
  readonly kind: ResourceKind;
  readonly isWide: boolean;
  readonly withHeaders: boolean;
  /** A NAMESPACE column first, as for -A. */
  readonly withNamespace: boolean;
  /** Names as `kind/name`, as when several kinds are listed. */
  readonly withKind: boolean;
  readonly style: Style;
}

/** The table of one kind; print() may be called again for rows that come later, which stay in their columns. */
export class ListingTable {
  readonly #options: ListingTableOptions;
  readonly #headers: readonly string[];
  /** Index in the kind's columns of every column shown. */
  readonly #shown: readonly number[];
  readonly #stateColumn: number;
  #widths: readonly number[] = [];
  #isHeaded: boolean;

  constructor(options: ListingTableOptions) {
    this.#options = options;
    const { columns } = resources[options.kind];
    this.#shown = [...columns.keys()].filter((index) => options.isWide || columns[index]?.wide !== true);
    const shown = this.#shown.map((index) => columns[index]);
    const before = this.#hasNamespaceColumn() ? ['NAMESPACE'] : [];
    this.#headers = [...before, ...shown.map((column) => column?.header ?? '')];
    this.#stateColumn = before.length + shown.findIndex((column) => column?.state === true);
    this.#isHeaded = !options.withHeaders;
  }

  /** The rows, below their headings the first time. */
  format(entries: readonly Entry[], nowMs: number): string {
    return this.#formatRows(entries.map((entry) => this.#row(entry, nowMs)));
  }

  /** The row of an item that is gone, its state replaced by `Deleted`; '' for kinds without a state. */
  formatDeleted(entry: Entry, nowMs: number): string {
    const { columns } = resources[this.#options.kind];
    if (!columns.some(({ state }) => state === true)) return '';
    const row = this.#row(entry, nowMs);
    return this.#formatRows([row.map((text, column) => (column === this.#stateColumn ? 'Deleted' : text))]);
  }

  #formatRows(rows: readonly (readonly string[])[]): string {
    const { style } = this.#options;
    const headers = this.#isHeaded ? {} : { headers: this.#headers };
    const widthRows = this.#isHeaded ? rows : [this.#headers, ...rows];
    this.#isHeaded = true;
    this.#widths = columnWidths(
      widthRows.map((row) => row.map(cellText)),
      this.#widths,
    );
    return formatTable(rows, { style, stateColumn: this.#stateColumn, minWidths: this.#widths, ...headers });
  }

  #row(entry: Entry, nowMs: number): string[] {
    const cells = entry.cells(nowMs);
    const texts = this.#shown.map((index) => this.#cell(index, cells[index] ?? ''));
    return this.#hasNamespaceColumn() ? [entry.namespace, ...texts] : texts;
  }

  #cell(index: number, text: string): string {
    const { kind, withKind } = this.#options;
    return withKind && resources[kind].columns[index]?.header === 'NAME'
      ? `${resources[kind].qualified}/${text}`
      : text;
  }

  #hasNamespaceColumn(): boolean {
    return this.#options.withNamespace && resources[this.#options.kind].isNamespaced;
  }
}
