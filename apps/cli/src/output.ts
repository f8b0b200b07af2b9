import { createStamp, type ErrorRecord, errorToRecord } from '@tutti/runtime';
import {
  createJsonRenderer,
  createLog,
  createPlainRenderer,
  createProgressRenderer,
  failedEvent,
  type Log,
  type LogLevel,
  type Renderer,
  type RunEvent,
} from '@tutti/telemetry';
import type { CliContext } from './context.js';
import { isReported, reported } from './reported.js';

/** Where a command writes its results and its log. */
export interface Output {
  readonly json: boolean;
  readonly renderer: Renderer;
  readonly log: Log;
  /** A result that is no event of a run: its object with --json, else the text. */
  result(object: Readonly<Record<string, unknown>>, text: string): void;
}

interface OutputSettings {
  readonly json: boolean;
  readonly logLevel: LogLevel;
}

/**
 * Runs a command's work; what it throws is told as the run's last event, then thrown on. So is a fault
 * of the program beside it, at once: the work is not waited for.
 */
export async function withOutput(
  settings: OutputSettings,
  context: CliContext,
  work: (output: Output) => Promise<void>,
): Promise<void> {
  const output = createOutput(settings, context);
  const { fault } = context;
  try {
    await (fault === undefined ? work(output) : Promise.race([work(output), fault]));
  } catch (error) {
    if (isReported(error)) throw error;
    const record = errorToRecord(error);
    output.renderer(failedEvent(record));
    if (record.stack !== undefined && (settings.logLevel === 'debug' || isPlaced(record)))
      output.renderer.note(record.stack);
    throw reported(error);
  } finally {
    output.renderer.close();
  }
}

/** Whether the place matters: it is in Tutti, or in the program, which threw something else. */
function isPlaced({ code, stack }: ErrorRecord): boolean {
  return code === 'INTERNAL' || (code === 'PROGRAM_FAILED' && !stack?.startsWith('TuttiError:'));
}

/** A bar on a terminal, short lines elsewhere, JSON if asked for; the log beside it on stderr. */
function createOutput(
  { json, logLevel }: OutputSettings,
  { stdout, stderr, clock, environment }: CliContext,
): Output {
  const drawable = stdout.isTTY && stderr.isTTY && environment.TERM !== 'dumb';
  const shown = json
    ? createJsonRenderer({ stdout, stderr })
    : (drawable ? createProgressRenderer : createPlainRenderer)({ stdout, stderr, clock });
  const stamp = createStamp(clock);
  const { note, close } = shown;
  return {
    json,
    renderer: Object.assign((event: RunEvent) => shown(stamp(event)), { note, close }),
    log: createLog(logLevel, note),
    result: (object, text) => {
      stdout.write(`${json ? JSON.stringify(stamp(object)) : text}\n`);
    },
  };
}
