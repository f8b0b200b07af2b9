import {
  createMonitor,
  createStamp,
  type ErrorRecord,
  errorToRecord,
  type Stamped,
} from '@tutti/runtime';
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
import type { CliContext } from '../process/context.js';
import { isReported, reported } from '../process/reported.js';
import { KEEPING_DEADLINE_MS } from '../tunables.js';
import { programStack } from './program-stack.js';

/** Where a command writes its results and its log. */
export interface Output {
  readonly json: boolean;
  readonly renderer: Renderer;
  readonly log: Log;
  /** A result that is no event of a run: its object with --json, else the text. */
  result(object: Readonly<Record<string, unknown>>, text: string): void;
  /** Somebody else is told every event from now on, the failure that ends the command included. */
  observe(observer: Observer): void;
}

/** Who listens to the events of a run beside the terminal. */
export interface Observer {
  listen(event: Stamped<RunEvent>): void;
  /** The command ends: resolves once what was heard is kept. */
  close?(): Promise<void>;
}

const KEEPING = {
  who: 'whoever listens to the run',
  what: 'keep what was told',
  remedy: 'See whether the disk and the addresses that were given answer.',
  deadlineMs: KEEPING_DEADLINE_MS,
};

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
    if (record.stack !== undefined) {
      if (settings.logLevel === 'debug') output.renderer.note(record.stack);
      else if (isPlaced(record))
        output.renderer.note(
          record.code === 'PROGRAM_FAILED' ? programStack(record.stack) : record.stack,
        );
    }
    throw reported(error);
  } finally {
    await output.close();
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
): Output & { close(): Promise<void> } {
  const drawable = stdout.isTTY && stderr.isTTY && environment.TERM !== 'dumb';
  const shown = json
    ? createJsonRenderer({ stdout, stderr })
    : (drawable ? createProgressRenderer : createPlainRenderer)({ stdout, stderr, clock });
  const stamp = createStamp(clock);
  const observers: Observer[] = [];
  const { note, close } = shown;
  function tell(event: RunEvent) {
    const stamped = stamp(event);
    shown(stamped);
    for (const { listen } of observers) listen(stamped);
  }
  const renderer = Object.assign(tell, { note, close });
  return {
    json,
    renderer,
    log: createLog(logLevel, note),
    result: (object, text) => {
      stdout.write(`${json ? JSON.stringify(stamp(object)) : text}\n`);
    },
    observe: (observer) => void observers.push(observer),
    async close() {
      close();
      const monitor = createMonitor({ clock });
      const closed = Promise.allSettled(observers.map((observer) => observer.close?.()));
      // What nobody can wait for any longer is no reason to fail: the run itself is over.
      // Unnamed wait: it is named here.
      await monitor.race(closed, KEEPING).catch(({ message }: Error) => note(message));
    },
  };
}
