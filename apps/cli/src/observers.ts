import { hostname } from 'node:os';
import type { Settings } from '@tutti/config';
import { TuttiError } from '@tutti/runtime';
import { createKubeflow, createMlflow, createTensorboard, kubeflowServer } from '@tutti/tracking';
import type { CliContext } from './context.js';
import type { Output } from './output.js';

/** Has the tools that were asked for listen to the run, and the Kubeflow Trainer where it wants to know. */
export function observeRun(
  { tensorboard, mlflow }: Pick<Settings, 'tensorboard' | 'mlflow'>,
  { environment }: Pick<CliContext, 'environment'>,
  { observe, renderer: emit }: Pick<Output, 'observe' | 'renderer'>,
): void {
  if (tensorboard !== undefined)
    observe(
      createTensorboard({ directory: tensorboard, host: hostname(), pid: process.pid, emit }),
    );
  if (mlflow !== undefined) observe(createMlflow({ url: checkedUrl(mlflow), emit }));
  const server = kubeflowServer(environment);
  if (server !== undefined) observe(createKubeflow({ server, emit }));
}

function checkedUrl(url: string): string {
  if (/^https?:\/\/[^/]/.test(url) && URL.canParse(url)) return url;
  throw new TuttiError('BAD_CONFIG', `--mlflow is ${url}, which is no address of a web server`, {
    remedy: 'Give it such as http://127.0.0.1:5000.',
  });
}
