import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where waits are for other processes, programs and disks. */
const FOLDERS = ['coordinator', 'server', 'worker', 'launch'].map((name) =>
  join('packages', name, 'src'),
);
FOLDERS.push(join('apps', 'cli', 'src'));
// The set-up waits for registries, compilers, disks, and others who do the same.
FOLDERS.push(join('packages', 'tensorflow', 'src', 'native'), 'tools');

/** Waits without a line of their own, and why nobody is left wondering. */
const BOUNDED = 'ends by itself: peers have their linger, processes their grace';
const RACED = 'whoever calls this races it, with a line';
const LINES = 'what this stands for has lines of its own';
const LOCAL = 'opens a port, or looks for a small file, of this machine';
/** Calls of the file system that are done at once, or say themselves what hinders them. */
const local = (...calls: readonly string[]) =>
  Object.fromEntries(calls.map((call) => [call, LOCAL]));
const [COORDINATOR, WORKER, LAUNCH, CLI, NATIVE] = [
  'packages/coordinator/src/',
  'packages/worker/src/',
  'packages/launch/src/',
  'apps/cli/src/',
  'packages/tensorflow/src/native/',
];
const REASONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [`${COORDINATOR}beginning.ts`]: { resume: RACED, 'again.': RACED },
  [`${COORDINATOR}checkpoint-folder.ts`]: { latestCheckpoints: RACED, readManifest: RACED },
  [`${COORDINATOR}checkpoints.ts`]: {
    'writing.idle': RACED,
    'new Promise': RACED,
    'sink.close.': RACED,
  },
  [`${COORDINATOR}coordinator.ts`]: { 'transport.listen': LOCAL },
  [`${COORDINATOR}dismissals.ts`]: { 'Promise.all': BOUNDED },
  [`${COORDINATOR}resume-point.ts`]: { readCheckpoint: RACED },
  [`${COORDINATOR}resume.ts`]: {
    latestCheckpoints: RACED,
    locateCheckpoint: RACED,
    readManifest: RACED,
  },
  [`${COORDINATOR}servers.ts`]: { 'Promise.all': BOUNDED },
  'packages/server/src/server.ts': { 'point.transport.listen': LOCAL, 'Promise.all': BOUNDED },
  [`${WORKER}open-program.ts`]: { 'training.close.': RACED, 'evaluation.close.': RACED },
  [`${WORKER}upstream.ts`]: { 'Promise.all': BOUNDED },
  [`${WORKER}worker.ts`]: {
    'running.result.catch': LINES,
    'answer.catch': LINES,
    'Promise.all': BOUNDED,
  },
  [`${LAUNCH}child-main.ts`]: { 'new Promise': BOUNDED, body: LINES, told: BOUNDED },
  [`${LAUNCH}child.ts`]: { 'new Promise': RACED, exited: BOUNDED },
  [`${LAUNCH}import-typescript.ts`]: { import: RACED, unregisterTsx: RACED },
  [`${LAUNCH}load-program.ts`]: { stat: LOCAL, import: LOCAL, watched: LINES, build: RACED },
  [`${LAUNCH}replay.ts`]: {
    reading: LINES,
    listCheckpoints: RACED,
    readManifest: RACED,
    readStepLog: RACED,
  },
  [`${LAUNCH}run-local.ts`]: {
    'server.start': LOCAL,
    createServer: LOCAL,
    createCoordinator: LOCAL,
    'new Promise': LINES,
    'Promise.race': LINES,
    'Promise.all': BOUNDED,
    'coordinator.result': LINES,
  },
  [`${LAUNCH}server-fleet.ts`]: { 'new Promise': RACED, 'Promise.all': BOUNDED },
  [`${LAUNCH}server-process.ts`]: { createServer: LOCAL, 'server.result': LINES },
  [`${LAUNCH}single-process-checkpoints.ts`]: { 'writing.idle': RACED },
  [`${LAUNCH}single-process.ts`]: { 'new Promise': 'a turn of the event loop' },
  [`${LAUNCH}worker-process.ts`]: { 'worker.result': LINES },
  [`${CLI}cli.ts`]: { 'program.parseAsync': LINES, ...local('load', 'import') },
  [`${CLI}output.ts`]: { work: LINES },
  [`${CLI}settings.ts`]: { findSettingsFile: LOCAL },
  [`${CLI}trained-program.ts`]: { 'reading.catch': LINES },
  [`${CLI}commands/coordinator.ts`]: {
    createServer: LOCAL,
    createCoordinator: LOCAL,
    'running.result': LINES,
  },
  [`${CLI}commands/doctor.ts`]: { textOf: RACED, statfs: RACED },
  [`${CLI}commands/export.ts`]: { import: 'TensorFlow is there: the program has used it' },
  [`${CLI}commands/replay.ts`]: { replaySteps: LINES },
  [`${CLI}commands/server.ts`]: { createServer: LOCAL, 'running.result': LINES },
  [`${CLI}commands/status.ts`]: { pause: 'between two answers', 'new Promise': 'the same' },
  [`${CLI}commands/train.ts`]: { runLocal: LINES },
  [`${CLI}commands/worker.ts`]: { 'running.result': LINES },
  [`${CLI}doctor/check.ts`]: { check: RACED },
  [`${CLI}doctor/libraries.ts`]: { 'transport.listen': RACED },
  [`${NATIVE}cache-entry.ts`]: {
    intact: LINES,
    clean: LINES,
    'entry.fill': LINES,
    ...local('mkdir', 'ensureFolder', 'rename'),
    readdir: RACED,
    rm: RACED,
  },
  [`${NATIVE}digests.ts`]: { pipeline: RACED, readFile: RACED, ...local('writeFile') },
  [`${NATIVE}ensure.ts`]: local('ensureFolder', 'readFile'),
  [`${NATIVE}lock.ts`]: {
    task: LINES,
    release: BOUNDED,
    'new Promise': RACED,
    ...local('readFile', 'writing', 'rm', 'rename', 'link'),
  },
  [`${NATIVE}own-download.ts`]: { fetch: 'has 6 s' },
  [`${NATIVE}run-process.ts`]: { 'new Promise': RACED },
  [`${NATIVE}stamp.ts`]: local('readFile', 'stat', 'writeFile'),
  [`${NATIVE}wheel-way.ts`]: local('ensureFolder', 'symlink', 'rename'),
  [`${NATIVE}wheel.ts`]: {
    fetchWheel: LINES,
    ...local('rm', 'readFile', 'statfs', 'writeFile'),
  },
  'tools/monitor.mjs': { promise: LINES },
  'tools/setup.mjs': { task: LINES, import: LOCAL },
  'tools/start.mjs': { import: 'the program itself' },
  'tools/run.mjs': { 'new Promise': 'raced, or what it waits for shows what it does' },
};

interface Source {
  readonly file: string;
  readonly text: string;
}

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/(?<!\.test|testing)\.m?[tj]s$/.test(entry.name)) yield path;
  }
}

const sources: Source[] = FOLDERS.flatMap((folder) => [...files(folder)]).map((file) => ({
  file,
  text: readFileSync(join(root, file), 'utf8'),
}));

/** Functions of ours that wait: what they wait for is looked at where they are written. */
const ours = new Set(
  sources.flatMap(({ text }) =>
    [
      ...text.matchAll(/\basync (?:function )?(\w+)(?:<\w+>)?\(/g),
      ...text.matchAll(/\b(\w+)(?:: Body)? ?[:=] async\b/g),
      ...text.matchAll(/\b(\w+): \([^)]*\) =>\s+monitor\.(?:until|race)\(/g),
    ].map(([, name]) => name!),
  ),
);

/** What the code waits for: [line, the name of what is called or awaited]. */
function waitsIn(text: string): [line: number, what: string][] {
  const found: [number, string][] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (/^\s*(?:\*|\/\/|\/\*)/.test(line)) continue;
    if (/childMain/.test(line)) continue;
    for (const [, what] of line.matchAll(/\bawait\s+\(?(?:\()?([\w.!?[\]]+(?:<[^(]*>)?)/g))
      if (what !== 'new') found.push([at + 1, what!.replaceAll(/[!?]/g, '')]);
    if (/\bnew Promise\b/.test(line)) found.push([at + 1, 'new Promise']);
  }
  return found;
}

const hasLine = (what: string) => /^(?:monitor|closing)\.(?:until|race)$/.test(what);
const isOurs = (what: string) => ours.has(what.split('.').at(-1)!);

describe('silence has a name:', () => {
  it('every wait of a role, the launcher, the command line and the set-up goes through a monitor, or says why not', () => {
    const nameless: string[] = [];
    const used = new Set<string>();
    for (const { file, text } of sources)
      for (const [line, what] of waitsIn(text)) {
        if (hasLine(what) || isOurs(what)) continue;
        const reason = REASONS[file]?.[what];
        if (reason === undefined) nameless.push(`${file}:${line}: ${what}`);
        else used.add(`${file} ${what}`);
      }
    assert.deepEqual(nameless, []);
    const listed = Object.entries(REASONS).flatMap(([file, whats]) =>
      Object.keys(whats).map((what) => `${file} ${what}`),
    );
    assert.deepEqual(
      listed.filter((entry) => !used.has(entry)),
      [],
      'reasons for what is not there any more',
    );
  });

  it('a wait without one is found', () => {
    const code = [
      'await monitor.until(() => done, wait);',
      '// await nobody',
      'const all = await reading(path);',
      'await new Promise((resolve) => open(resolve));',
      'for (const one of await list()) await (given?.work() ?? other);',
    ];
    assert.deepEqual(waitsIn(code.join('\n')), [
      [1, 'monitor.until'],
      [3, 'reading'],
      [4, 'new Promise'],
      [5, 'list'],
      [5, 'given.work'],
    ]);
  });
});
