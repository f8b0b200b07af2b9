import { RUN_APART, runApart } from './apart.js';

const args = process.argv.slice(2);
if (RUN_APART.includes(args[0] ?? '')) await runApart(args);
else {
  const { runProcess } = await import('./run-process.js');
  await runProcess(args);
}
