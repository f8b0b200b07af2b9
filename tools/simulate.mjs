import { run } from './run.mjs';
import { main, root, setUp } from './setup.mjs';

await main(async () => {
  await setUp();
  const args = ['test/dist/simulation/main.js', ...process.argv.slice(2)];
  process.exitCode = (await run(process.execPath, args, { cwd: root })).code;
});
