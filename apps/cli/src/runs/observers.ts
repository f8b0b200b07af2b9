import { hostname } from 'node:os';
import type { Settings } from '@tutti/config';
import { TuttiError } from '@tutti/runtime';
import type { Output } from '../output/output.js';
import type { CliContext } from '../process/context.js';

/** Has the tools that were asked for listen to the run, and the Kubeflow Trainer where it wants to know. */
export async function observeRun(
  { tensorboard, mlflow }: Pick<Settings, 'tensorboard' | 'mlflow'>,
  { environment }: Pick<CliContext, 'environment'>,
  { observe, renderer: emit }: Pick<Output, 'observe' | 'renderer'>,
): Promise<void> {
  const none = tensorboard === undefined && mlflow === undefined;
  if (none && !environment.KUBEFLOW_TRAINER_SERVER_URL) return;
  // Only then: what writes the files of others is much to load.
  // Unnamed wait: modules of this machine.
  const { createKubeflow, createMlflow, createTensorboard, kubeflowServer } = await import(
    '@tutti/tracking'
  );
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
