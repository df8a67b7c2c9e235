type Color = 'red' | 'green' | 'yellow';

const codes: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33 };

const colorOfState: ReadonlyMap<string, Color> = new Map<string, Color>([
  ['Ready', 'green'],
  ['Bound', 'green'],
  ['Mounted', 'green'],
  ['Abnormal', 'red'],
  ['Available', 'green'],
  ['Succeeded', 'green'],
  ['good', 'green'],
  ['ok', 'green'],
  ['Pending', 'yellow'],
  ['NotReady', 'yellow'],
  ['Uncertain', 'yellow'],
  ['Terminating', 'yellow'],
  ['Unmounting', 'yellow'],
  ['Released', 'yellow'],
  ['Warning', 'yellow'],
  ['waiting', 'yellow'],
  ['optional', 'yellow'],
  ['Failed', 'red'],
  ['Stalled', 'red'],
  ['Lost', 'red'],
  ['bad', 'red'],
  ['missing', 'red'],
]);

/** What the terminal can show; without color every method gives its text back. */
export class Style {
  readonly #hasColor: boolean;
  readonly hasUnicode: boolean;

  constructor(can: { readonly color: boolean; readonly unicode: boolean }) {
    this.#hasColor = can.color;
    this.hasUnicode = can.unicode;
  }

  /** A state word in the color of its meaning; unknown words stay plain. Padding around the word is kept. */
  state(text: string): string {
    const color = colorOfState.get(text.trim());
    return color === undefined ? text : this.#paint(text, color);
  }

  danger(text: string): string {
    return this.#paint(text, 'red');
  }

  #paint(text: string, color: Color): string {
    return this.#hasColor ? `\u001b[${codes[color]}m${text}\u001b[0m` : text;
  }
}

/** Color only for people: on a terminal, unless NO_COLOR (no-color.org: set and not empty) or TERM=dumb says otherwise. */
export function styleFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return new Style({
    color: isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    unicode: /utf-?8/i.test(locale),
  });
}
