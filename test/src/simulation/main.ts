import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Aggregation } from '@tutti/protocol';
import { patchModules, VARIANTS } from './variants.js';

/**
 * `npm run simulate -- --seeds 1..10000`, `npm run simulate -- --seed 4711 --trace`; with
 * `--variant NAME` the code is broken on purpose, and the first seed that notices it is printed;
 * `--variants` does that for all of them. `--aggregation server` has all sums made there, else that is drawn;
 * `--colocated` has a server in the process of each worker, which is drawn, too.
 */
const args = process.argv.slice(2);
const argument = (name: string) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};
const seeds = argument('--seeds') ?? argument('--seed') ?? '1..1000';
const [first, last = first] = seeds.split('..').map(Number) as [number, number?];
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
  console.error('Give --seeds FIRST..LAST or --seed SEED.');
  process.exit(2);
}
if (args.includes('--variants')) process.exit(tryVariants());
const variant = argument('--variant');
const broken = variant === undefined ? undefined : await patchModules(variant);
const place = broken?.atServers ? 'server' : argument('--aggregation');

// Only now, so that what it imports is patched.
const { sweep } = await import('./sweep.js');
const started = performance.now();
const report = await sweep({
  first,
  last,
  stopAtFailure: variant !== undefined,
  colocated: broken?.colocated ?? args.includes('--colocated'),
  aggregation: place as Aggregation | undefined,
  ...(args.includes('--trace') ? { trace: (line: string) => console.log(line) } : {}),
  failureFound({ seed, violations }) {
    console.log(`seed ${seed} violates:`);
    for (const violation of violations) console.log(`  ${violation}`);
    const option = variant === undefined ? '' : ` --variant "${variant}"`;
    console.log(`  replay: npm run simulate -- --seed ${seed} --trace${option}`);
  },
});
const seconds = (performance.now() - started) / 1000;
const { runs, failures, injected, failed, simulatedMs } = report;
console.log(`${runs} runs in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(0)} a second)`);
console.log(`${(simulatedMs / 60_000).toFixed(1)} minutes of simulated time`);
for (const [kind, count] of [...injected].sort((a, b) => b[1] - a[1]))
  console.log(`  ${String(count).padStart(7)} x ${kind}`);
for (const [code, count] of failed) console.log(`${count} runs ended with ${code}, as they may`);
if (variant !== undefined) {
  const why = broken!.what;
  console.log(failures.length > 0 ? `caught: ${why}` : `NOT caught: ${why}`);
  process.exit(failures.length > 0 ? 0 : 1);
}
console.log(`${failures.length} failures`);
process.exit(failures.length > 0 ? 1 : 0);

/** Each variant in a process of its own; returns the exit code. */
function tryVariants(): number {
  let missed = 0;
  for (const { name, what } of VARIANTS) {
    const range = ['--seeds', `${first}..${last}`, '--variant', name];
    const program = fileURLToPath(import.meta.url);
    const { stdout, stderr } = spawnSync(process.execPath, [program, ...range], {
      encoding: 'utf8',
      // A broken cluster may go round for ever.
      timeout: 300_000,
    });
    const seed = /^seed (\d+) violates/m.exec(stdout)?.[1];
    if (seed === undefined) missed++;
    console.log(`${seed === undefined ? 'MISSED' : `seed ${seed}`.padEnd(10)}  ${name}: ${what}`);
    if (stderr !== '') console.log(stderr.trimEnd());
  }
  console.log(`${VARIANTS.length - missed} of ${VARIANTS.length} variants were caught`);
  return missed === 0 ? 0 : 1;
}
