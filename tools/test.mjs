/** `npm test`, `npm test -- runtime data`, `npm test -- --skip-nx-cache`. */

import { run } from './run.mjs';
import { main, nx, nxEnvironment, root, setUp } from './setup.mjs';
import { createSummary } from './test-summary.mjs';

await main(async () => {
  await setUp();
  const args = process.argv.slice(2);
  const options = args.filter((argument) => argument.startsWith('-'));
  const projects = args
    .filter((argument) => !argument.startsWith('-'))
    .map((name) => (name.includes('/') ? name : `@tutti/${name}`));
  // Nx asks for colours whatever its output goes to.
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { FORCE_COLOR: '0', NO_COLOR: '1' };
  const summary = createSummary();
  const { code } = await run(
    process.execPath,
    [
      ...[nx, 'run-many', '-t', 'test', '--parallel=1', '--output-style=stream-without-prefixes'],
      ...(projects.length === 0 ? [] : ['--projects', projects.join(',')]),
      ...options,
    ],
    { cwd: root, env: { ...nxEnvironment, ...colours }, onLine: summary.read },
  );
  const { passed, failed } = summary.end(code === 0);
  process.exitCode = failed === 0 ? 0 : code || 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
});
