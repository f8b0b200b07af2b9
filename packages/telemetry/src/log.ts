import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { TextStream } from './renderer.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What roles and programs may tell an operator. Libraries take one as an argument. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line: the role, the worker's name. */
  child(fields: LogFields): Logger;
}

export type LogFields = Readonly<Record<string, unknown>>;

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

export interface LoggerInit {
  readonly level: LogLevel;
  /** Usually process.stderr, or something that draws around a progress bar. */
  readonly stream: TextStream;
  /** Readable lines instead of JSON; by default if the stream is a terminal. */
  readonly pretty?: boolean;
  readonly colour?: boolean;
}

/** A logger on pino that writes whole lines, at once, to `stream`. An `error` field is unfolded. */
export function createLogger(init: LoggerInit): Logger {
  const pretty = init.pretty ?? init.stream.isTTY === true;
  const prettify = pretty
    ? prettyFactory({
        colorize: init.colour ?? init.stream.isTTY === true,
        translateTime: 'SYS:HH:MM:ss',
        ignore: 'pid,hostname',
        singleLine: true,
      })
    : undefined;
  return wrap(
    pino(
      {
        level: init.level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        errorKey: 'error',
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line) => init.stream.write(prettify === undefined ? line : prettify(line)) },
    ),
  );
}

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (message, fields) => inner.debug(fields ?? {}, message),
    info: (message, fields) => inner.info(fields ?? {}, message),
    warn: (message, fields) => inner.warn(fields ?? {}, message),
    error: (message, fields) => inner.error(fields ?? {}, message),
    child: (fields) => wrap(inner.child(fields)),
  };
}
