import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where waits are for other processes, programs and disks. */
const FOLDERS = ['run', 'coordinator', 'server', 'worker', 'launch'].map((name) =>
  join('packages', name, 'src'),
);
FOLDERS.push(join('apps', 'cli', 'src'));
// The set-up waits for registries, compilers, disks, and others who do the same.
FOLDERS.push(join('packages', 'tensorflow-setup', 'src'), 'tools');

/**
 * Above a wait that shows no line, and why nobody is left wondering. It speaks for the statement it
 * stands above, with all that is indented under it: so also for a whole function.
 */
const REASON = /^( *)\/\/ Unnamed wait: (\S.{3,})$/;

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
      ...text.matchAll(
        /\b(\w+)(?::| =) (?:<\w+>)?\([^)]*\) =>\s+(?:monitor|closing)\??\.(?:until|race)\(/g,
      ),
    ].map(([, name]) => name!),
  ),
);

interface Wait {
  readonly line: number;
  /** The name of what is called or awaited. */
  readonly what: string;
  /** The line of the comment that says why it has no name. */
  readonly reason?: number;
}

/** What the code waits for, and the lines of all reasons in it. */
function waitsIn(text: string): { waits: Wait[]; reasons: number[] } {
  const waits: Wait[] = [];
  const reasons: number[] = [];
  let speaking: { line: number; indent: number; begun: boolean } | undefined;
  for (const [at, source] of text.split('\n').entries()) {
    const line = at + 1;
    const indent = /^ */.exec(source)![0].length;
    if (REASON.test(source)) {
      reasons.push(line);
      speaking = { line, indent, begun: false };
    }
    if (source.trim() === '' || /^\s*(?:\*|\/\/|\/\*)/.test(source)) continue;
    // Lines that close what the statement has opened belong to it.
    if (speaking?.begun && indent <= speaking.indent && !/^\s*[})\]]/.test(source))
      speaking = undefined;
    if (speaking !== undefined) speaking.begun = true;
    if (/childMain|programMain/.test(source)) continue;
    const reason = speaking && { reason: speaking.line };
    for (const [, what] of source.matchAll(/\bawait\s+\(?(?:\()?([\w.!?[\]]+(?:<[^(]*>)?)/g))
      if (what !== 'new') waits.push({ line, what: what!.replaceAll(/[!?]/g, ''), ...reason });
    if (/\bnew Promise\b/.test(source)) waits.push({ line, what: 'new Promise', ...reason });
  }
  return {
    // The code itself is on this machine, and small.
    waits: waits.filter(
      ({ line, what }) =>
        what !== 'import' || !/import\('\.{1,2}\//.test(text.split('\n')[line - 1]!),
    ),
    reasons,
  };
}

const hasLine = (what: string) => /^(?:monitor|closing)\.(?:until|race)$/.test(what);
const isOurs = (what: string) => ours.has(what.split('.').at(-1)!);

describe('silence has a name:', () => {
  it('every wait of a role, the launcher, the command line and the set-up goes through a monitor, or says why not', () => {
    const nameless: string[] = [];
    const idle: string[] = [];
    for (const { file, text } of sources) {
      const { waits, reasons } = waitsIn(text);
      const plain = waits.filter(({ what }) => !hasLine(what) && !isOurs(what));
      for (const { line, what, reason } of plain)
        if (reason === undefined) nameless.push(`${file}:${line}: ${what}`);
      // Also above calls of ours: whether one waits by itself may change elsewhere.
      const used = new Set(waits.map(({ reason }) => reason));
      for (const line of reasons) if (!used.has(line)) idle.push(`${file}:${line}`);
    }
    assert.deepEqual(
      nameless,
      [],
      'waits without a name: use a monitor, or write `// Unnamed wait: <why>` above them',
    );
    assert.deepEqual(idle, [], 'reasons for what is not there any more');
  });

  it('a wait without one is found, and only what a reason stands above has it', () => {
    const code = [
      'await monitor.until(() => done, wait);',
      '// await nobody',
      'const all = await reading(path);',
      'await new Promise((resolve) => open(resolve));',
      'for (const one of await list()) await (given?.work() ?? other);',
      '// Unnamed wait: it is done at once.',
      'async function two() {',
      '  await first();',
      '',
      '  await second(',
      '  );',
      '}',
      'await third();',
      "await import('./own.js');",
      'if (one) {',
      '  // Unnamed wait: the caller races it.',
      '  await fourth();',
      '  await fifth();',
      '}',
    ];
    assert.deepEqual(waitsIn(code.join('\n')), {
      waits: [
        { line: 1, what: 'monitor.until' },
        { line: 3, what: 'reading' },
        { line: 4, what: 'new Promise' },
        { line: 5, what: 'list' },
        { line: 5, what: 'given.work' },
        { line: 8, what: 'first', reason: 6 },
        { line: 10, what: 'second', reason: 6 },
        { line: 13, what: 'third' },
        { line: 17, what: 'fourth', reason: 16 },
        { line: 18, what: 'fifth' },
      ],
      reasons: [6, 16],
    });
  });
});
