export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line per happening, none per pass. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}
