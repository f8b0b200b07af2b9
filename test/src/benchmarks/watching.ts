import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tutti/runtime';
import { createTimelineFile } from '@tutti/tracking';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const TUTTI = createRequire(import.meta.url).resolve('@tutti/cli/dist/main.js');
const STATIONS = 100_000;

/**
 * What watching the MNIST ConvNet with two workers costs: the median length of a step with `--timeline`, and
 * with `--dashboard` and one who looks, over that of a run without, in turn; the median over the rounds. From
 * the processor time of one station and how many the busiest process passes in a step, `timelinePercent` is
 * what part of a step a timeline takes, which other work on the machine does not change. Nor does it change
 * `plainCpuMs`, `timelineCpuMs` and `dashboardCpuMs` much: what the command's process, which has coordinator,
 * server and page, takes of a processor for a step.
 */
export async function benchWatching(
  rounds: number,
  steps: number,
): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-bench-'));
  const timeline = join(folder, 'timeline.json');
  const ways = [[], ['--timeline', timeline], ['--dashboard', '0']];
  const times: [number[], number[], number[]] = [[], [], []];
  const cpuMs: [number[], number[], number[]] = [[], [], []];
  try {
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < ways.length; turn++) {
        const way = (round + turn) % ways.length;
        const run = await timesOf(folder, steps, ways[way]!);
        times[way]!.push(median(run.stepMs));
        cpuMs[way]!.push(run.cpuMs);
      }
    const [plain, timed, shown] = times;
    const ratioOf = (watched: number[]) => median(watched.map((ms, round) => ms / plain[round]!));
    const stepMs = median(plain);
    const stationUs = await cpuOfStation(folder);
    const stations = (await stationsOf(timeline)) / steps;
    const timelinePercent = (100 * stationUs * stations) / 1000 / stepMs;
    const [plainCpuMs, timelineCpuMs, dashboardCpuMs] = cpuMs.map(median) as [
      number,
      number,
      number,
    ];
    return {
      ...{ plainCpuMs, timelineCpuMs, dashboardCpuMs },
      ...{ stepMs, timelineRatio: ratioOf(timed), dashboardRatio: ratioOf(shown) },
      ...{ stationUs, stationsPerStep: stations, timelinePercent },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** How long each step took but for the first quarter, and processor time for one, in milliseconds. */
async function timesOf(folder: string, steps: number, flags: readonly string[]) {
  const args = ['train', CONVNET, '--workers', '2', '--shards', '2', '--steps', `${steps}`];
  const kept = ['--json', '--checkpoint-dir', await mkdtemp(join(folder, 'run-'))];
  const child = spawn(process.execPath, [TUTTI, ...args, ...kept, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  createInterface({ input: child.stderr }).on('line', (line) => {
    const url = /^watch the run: (.*)$/.exec(line)?.[1];
    if (url !== undefined) void look(url);
  });
  const stepMs: number[] = [];
  let [begun, over] = [0, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event !== 'step' || event.step <= steps / 4) continue;
    if (stepMs.length === 0) begun = await cpuOf(child.pid!);
    stepMs.push(event.stepMs);
    if (event.step === steps) over = await cpuOf(child.pid!);
  }
  if ((await ended) !== 0) throw new Error(`tutti ${args.join(' ')} failed`);
  return { stepMs, cpuMs: (over - begun) / (stepMs.length - 1) };
}

/** Processor time of a process so far, in milliseconds; 0 where there is no /proc. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Clock ticks, of which Linux tells a hundred a second.
  return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}

/** As a page does, until the run is over. */
async function look(url: string) {
  const { body } = await fetch(new URL('updates', url));
  const reader = body!.getReader();
  try {
    while (!(await reader.read()).done);
  } catch {
    // The command has ended.
  }
}

/** How many stations the busiest process passed. */
async function stationsOf(timeline: string): Promise<number> {
  const counts = new Map<number, number>();
  for (const { ph, pid } of JSON.parse(await readFile(timeline, 'utf8')))
    if (ph === 'X') counts.set(pid, (counts.get(pid) ?? 0) + 1);
  return Math.max(...counts.values());
}

/** Processor time of one station, with its part of what is written, in microseconds. */
async function cpuOfStation(folder: string): Promise<number> {
  const file = await createTimelineFile({
    ...{ path: join(folder, 'stations.json'), clock: systemClock, pid: process.pid, host: 'bench' },
    originMs: performance.timeOrigin,
    emit() {},
  });
  const track = file.track('w0');
  const pass = (count: number) => {
    for (let at = 0; at < count; at++) track.passed('gradient', track.now(), at, at & 3);
  };
  pass(STATIONS);
  const before = process.cpuUsage();
  pass(STATIONS);
  const { user, system } = process.cpuUsage(before);
  file.close();
  return (user + system) / STATIONS;
}
