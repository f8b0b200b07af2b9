/** `npm test`, `npm test -- runtime data`, `npm test -- --skip-nx-cache`. */

import { run } from './run.mjs';
import { main, nx, nxEnvironment, root, setUp } from './setup.mjs';
import { lanesOf, together } from './test-lanes.mjs';
import { createSummary } from './test-summary.mjs';
import { createTurns } from './turns.mjs';

/** Lanes at a time: two cores are what there is least. */
const TOGETHER = 2;

await main(async () => {
  await setUp();
  const args = process.argv.slice(2);
  const options = args.filter((argument) => argument.startsWith('-'));
  const projects = args
    .filter((argument) => !argument.startsWith('-'))
    .map((name) => (name.includes('/') ? name : `@tutti/${name}`));
  // Nx asks for colours whatever its output goes to.
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { FORCE_COLOR: '0', NO_COLOR: '1' };
  const turns = createTurns((text) => process.stdout.write(text));

  async function runLane({ lane, turn }) {
    const summary = createSummary();
    const { code } = await run(
      process.execPath,
      [
        ...[nx, 'run-many', '-t', 'test', '--parallel=1', '--output-style=stream-without-prefixes'],
        // All is built: two that build the same would be in each other's way.
        '--exclude-task-dependencies',
        ...lane,
        ...options,
      ],
      {
        cwd: root,
        env: { ...nxEnvironment, ...colours },
        onLine: summary.read,
        onText: turn.write,
      },
    );
    turn.end();
    return { code, ...summary.end(code === 0) };
  }

  const lanes = lanesOf(root, projects).map((lane) => ({ lane, turn: turns.take() }));
  const ran = await together(TOGETHER, lanes, runLane);
  const sum = (of) => ran.map(of).reduce((a, b) => a + b);
  const failed = sum((lane) => lane.failed);
  process.exitCode = failed === 0 ? 0 : ran.find(({ code }) => code !== 0)?.code || 1;
  process.stdout.write(`${sum((lane) => lane.passed)} passed, ${failed} failed\n`);
});
