import {
  createJsonRenderer,
  createLogger,
  createPlainRenderer,
  createProgressRenderer,
  type Logger,
  type LogLevel,
  type Renderer,
} from '@tutti/telemetry';
import type { CliContext } from './context.js';

/** Where a command writes its results and its log. */
export interface Output {
  readonly json: boolean;
  readonly renderer: Renderer;
  readonly log: Logger;
  /** A result that is no event of a run: its object with --json, else the text. */
  result(object: Readonly<Record<string, unknown>>, text: string): void;
}

/** A bar on a terminal, short lines elsewhere, JSON if asked for; the log beside it on stderr. */
export function createOutput(
  { json, logLevel }: { readonly json: boolean; readonly logLevel: LogLevel },
  { stdout, stderr, clock, environment }: CliContext,
): Output {
  const drawable = stdout.isTTY && stderr.isTTY && environment.TERM !== 'dumb';
  const renderer = json
    ? createJsonRenderer({ stdout, stderr })
    : (drawable ? createProgressRenderer : createPlainRenderer)({ stdout, stderr, clock });
  const log = createLogger({
    level: logLevel,
    stream: {
      write: (text) => renderer.note(text.trimEnd()),
      isTTY: stderr.isTTY === true,
    },
  });
  return {
    json,
    renderer,
    log,
    result: (object, text) => {
      stdout.write(`${json ? JSON.stringify(object) : text}\n`);
    },
  };
}
