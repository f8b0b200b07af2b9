import { run } from './run.mjs';
import { main, root, setUp } from './setup.mjs';

/**
 * Sweeps keep one core busy with many small functions, which V8's defaults are not made for: it would
 * spend a third of the first 1,000 runs on optimising functions that are only warm. From Node 24 on it
 * has a compiler for those.
 */
function flags() {
  const [major] = process.versions.node.split('.').map(Number);
  const warm =
    major >= 24
      ? ['--no-opt']
      : [
          '--no-lazy-feedback-allocation',
          '--always-sparkplug',
          ...(major < 22 ? ['--interrupt-budget=1000000'] : []),
        ];
  return [
    '--single-threaded-gc',
    // Several runs fit into it, so that little is alive when it is collected.
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    ...warm,
  ];
}

await main(async () => {
  await setUp();
  const args = [...flags(), 'test/dist/simulation/main.js', ...process.argv.slice(2)];
  process.exitCode = (await run(process.execPath, args, { cwd: root })).code;
});
