import { createLogger, format, transports, type Logger as Winston } from 'winston';
import type { LogFields, Logger } from '../ports/logger.ts';

export type LogFormat = 'json' | 'human';

/** One line a happening on stdout: JSON for machines, or time, level, message and fields for people. */
export function winstonLogger(logFormat: LogFormat, level: string): Logger {
  const line = logFormat === 'json' ? jsonFormat : humanFormat;
  const winston: Winston = createLogger({ level, format: line, transports: [new transports.Console()] });
  return {
    info: (message, fields) => void winston.info(message, fields),
    warn: (message, fields) => void winston.warn(message, fields),
    error: (message, fields) => void winston.error(message, fields),
    // Winston would format the line first and drop it afterwards.
    debug: (message, fields) => void (winston.isDebugEnabled() && winston.debug(message, fields)),
  };
}

/** Not format.json(), which sorts the keys and looks for cycles: half of what a line costs. */
const jsonFormat = format.printf(({ level, message, ...fields }) =>
  JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields }),
);

const humanFormat = format.printf(({ level, message, ...fields }) => {
  const rest = Object.entries(fields as LogFields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${JSON.stringify(value)}`],
  );
  return [new Date().toISOString(), level.toUpperCase().padEnd(5), String(message), ...rest].join(' ');
});
