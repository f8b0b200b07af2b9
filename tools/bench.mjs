import { run } from './run.mjs';
import { main, root, setUp } from './setup.mjs';

await main(async () => {
  await setUp();
  const args = ['--import', 'tsx', 'test/benchmarks/main.ts', ...process.argv.slice(2)];
  process.exitCode = (await run(process.execPath, args, { cwd: root })).code;
});
