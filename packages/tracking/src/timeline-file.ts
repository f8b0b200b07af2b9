import { closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type Clock,
  ensureFolder,
  STATIONS,
  type Station,
  type Timeline,
  TuttiError,
  toTuttiError,
} from '@tutti/runtime';
import { formatBytes, type RunEvent, warningOf } from '@tutti/telemetry';
import { pagesOf } from './timeline-pages.js';
import { TIMELINE_BATCH, TIMELINE_BYTES, TIMELINE_FLUSH_MS } from './tunables.js';

/**
 * What the roles of this process tell of their way through the steps, on its way into a file in Chrome's
 * trace event format (a JSON array; https://ui.perfetto.dev and chrome://tracing open it). All processes
 * of a run append to one file, so it can be read whenever and however they end: the array may lack its
 * end in that format.
 */
export interface TimelineFile {
  /** A thread of this process in the file: what passes at once is drawn one below the other. */
  track(role: string): Timeline;
  /** Writes what is not written yet; whoever has begun the file also ends it. */
  close(): void;
}

export interface TimelineFileInit {
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  /** When the clock began, in milliseconds since 1970: by that processes of one host have one time. */
  readonly originMs: number;
  readonly pid: number;
  readonly host: string;
  /** Is told, as a warning, that not all is in the file. */
  readonly emit: (event: RunEvent) => void;
}

const STATION_NAMES = Object.keys(STATIONS) as Station[];
const STATION_AT = Object.fromEntries(STATION_NAMES.map((name, at) => [name, at]));
/** Whatever is in a name, its line fits into a page. */
const NAME_LENGTH = 500;
/** Of a station that was passed: row, station, step, part, since, until. */
const COLUMNS = 6;

/** Begins a file. @throws TuttiError STORAGE */
export async function createTimelineFile(init: TimelineFileInit): Promise<TimelineFile> {
  const path = resolve(init.path);
  try {
    if (!isReplaceable(path))
      throw new TuttiError('STORAGE', `${path} is there, and is no timeline`, {
        remedy: 'Give --timeline another file: it is written anew.',
      });
    await ensureFolder(dirname(path));
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;
    const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o666);
    try {
      writeSync(file, pagesOf(['[\n']));
    } catch (error) {
      closeSync(file);
      throw error;
    }
    return timelineFile(init, file, true);
  } catch (error) {
    throw unwritable(error, path);
  }
}

/** Goes on with a file that another process of the run has begun. @throws TuttiError STORAGE */
export function joinTimelineFile(init: TimelineFileInit): TimelineFile {
  try {
    return timelineFile(init, openSync(init.path, constants.O_WRONLY | constants.O_APPEND), false);
  } catch (error) {
    throw unwritable(error, init.path);
  }
}

/** Whether nothing is lost that somebody else has written. */
function isReplaceable(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return true;
  const file = openSync(path, constants.O_RDONLY);
  try {
    const first = Buffer.alloc(1);
    return readSync(file, first) === 0 || first.toString() === '[';
  } finally {
    closeSync(file);
  }
}

const unwritable = (error: unknown, path: string) =>
  toTuttiError(
    error,
    'STORAGE',
    `The timeline cannot be written to ${path}`,
    'Give --timeline a file that can be written.',
  );

function timelineFile(
  { path, clock, originMs, pid, host, emit }: TimelineFileInit,
  file: number,
  owner: boolean,
): TimelineFile {
  const stamps = new Float64Array(COLUMNS * TIMELINE_BATCH);
  const tracks: string[] = [];
  let rows = 0;
  let filled = 0;
  let flushedAt = clock.now();
  /** What the rows are called, until that is written. */
  let names: string[] = [];
  let named = false;
  let writes = true;
  let failed = false;

  const micros = (ms: number) => Math.round(1000 * (originMs + ms));

  function nameLine(name: string, tid: number, args: object): string {
    const ts = micros(clock.now());
    return `${JSON.stringify({ name, ph: 'M', ts, pid, tid, args })},\n`;
  }

  function addRow(name: string): number {
    const tid = ++rows;
    names.push(nameLine('thread_name', tid, { name: name.slice(0, NAME_LENGTH) }));
    names.push(nameLine('thread_sort_index', tid, { sort_index: tid }));
    return tid;
  }

  function stationLine(at: number): string {
    const from = COLUMNS * at;
    const name = STATION_NAMES[stamps[from + 1]!]!;
    const part = stamps[from + 3]!;
    const { part: what } = STATIONS[name] as { readonly part?: string };
    const ts = micros(stamps[from + 4]!);
    const dur = micros(stamps[from + 5]!) - ts;
    // As in the events of a run, the first step is 1.
    const step = stamps[from + 2]! + 1;
    const of = what === undefined || part < 0 ? '' : `,"${what}":${part}`;
    // Not by JSON.stringify, which takes three times as long.
    return `{"name":"${name}","ph":"X","ts":${ts},"dur":${dur},"pid":${pid},"tid":${stamps[from]},"args":{"step":${step}${of}}},\n`;
  }

  const isFull = () => fstatSync(file).size >= TIMELINE_BYTES;

  function write(lines: readonly string[]) {
    const pages = pagesOf(lines);
    if (writeSync(file, pages) < pages.length) throw new Error('the disk is full');
  }

  function flush() {
    flushedAt = clock.now();
    const passed = Array.from({ length: filled }, (_, at) => stationLine(at));
    filled = 0;
    if (!writes || passed.length === 0) return;
    const process = { name: tracks.join(' and ').slice(0, NAME_LENGTH) };
    const heading = named ? [] : [nameLine('process_name', 0, process)];
    guarded(() => {
      if (isFull()) writes = false;
      else write([...heading, ...names, ...passed]);
    });
    names = [];
    named = true;
  }

  /** The run goes on without it. */
  function guarded(task: () => void) {
    try {
      task();
    } catch (error) {
      writes = false;
      failed = true;
      const why = toTuttiError(error, 'STORAGE', `The timeline ${path} ends early`, 'Make room.');
      emit(warningOf(why));
    }
  }

  function end() {
    // What has failed may have left a torn page: then the array stays open.
    if (failed) return;
    const last = nameLine('process_labels', 0, { labels: host });
    const full = isFull();
    guarded(() => write([last.replace(/,\n$/, '\n]\n')]));
    if (full)
      emit({
        event: 'warning',
        code: 'STORAGE',
        message: `The timeline ${path} is not of all steps: it has come to its bound of ${formatBytes(TIMELINE_BYTES)}`,
        remedy: 'Look at its beginning, or train fewer --steps for another.',
      });
  }

  return {
    track(role) {
      tracks.push(role);
      const own = addRow(role);
      /** By the name of further rows: which there are, and until when each is taken. */
      const beside = new Map<string, { readonly tid: number; until: number }[]>();

      function rowBeside(name: string, since: number, until: number): number {
        const lanes = beside.get(name) ?? [];
        beside.set(name, lanes);
        let lane = lanes.find((each) => each.until <= since);
        if (lane === undefined) {
          lane = { tid: addRow(`${role}: ${name}`), until };
          lanes.push(lane);
        }
        lane.until = until;
        return lane.tid;
      }

      return {
        now: () => clock.now(),
        passed(station, since, step, part = -1) {
          if (!writes) return;
          const until = clock.now();
          const { row } = STATIONS[station] as { readonly row?: string };
          const tid = row === undefined ? own : rowBeside(row, since, until);
          const columns = [tid, STATION_AT[station]!, step, part, since, until];
          stamps.set(columns, COLUMNS * filled++);
          if (filled === TIMELINE_BATCH || until - flushedAt >= TIMELINE_FLUSH_MS) flush();
        },
      };
    },
    close() {
      flush();
      if (owner) end();
      closeSync(file);
      writes = false;
    },
  };
}
