import { join } from 'node:path';
import { runProcess } from './run-process.js';
import { createSetupMonitor } from './setup-monitor.js';
import type { Way, WayContext } from './way.js';

const CONNECT_LIMIT_MS = 6_000;
const DOWNLOAD_LIMIT_MS = 900_000;

/**
 * Lets tfjs-node download its own library and addon with its own script. That script waits for ever
 * on a host that does not answer, so whether the host answers is asked first.
 */
export function createOwnDownloadWay(tfjsNode: string): Way {
  return {
    name: "tfjs-node's own download",
    async prepare(context) {
      const host = downloadHost(process.env);
      await checkReachable(host, context);
      context.report('Downloading TensorFlow with the script of tfjs-node (about 100 MB).');
      const bin = join(tfjsNode, '..', '..', '.bin');
      const downloading = runProcess(process.execPath, [join('scripts', 'install.js')], {
        cwd: tfjsNode,
        limitMs: DOWNLOAD_LIMIT_MS,
        signal: context.signal,
        // The script calls node-pre-gyp by its name.
        environment: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` },
      });
      const monitor = createSetupMonitor(context);
      await monitor.race(downloading, {
        who: `${host} and the script of tfjs-node`,
        what: 'deliver about 100 MB',
        remedy: `See how fast the network is; after ${DOWNLOAD_LIMIT_MS / 60_000} minutes another way is tried. TFJS_NODE_CDN_STORAGE names another host.`,
      });
      return [];
    },
  };
}

/** The variables are those of tfjs-node's install script. */
function downloadHost(environment: NodeJS.ProcessEnv): string {
  return (
    environment.TFJS_NODE_CDN_STORAGE ??
    environment.CDN_STORAGE ??
    'https://storage.googleapis.com/'
  );
}

/**
 * @throws Error unless the host answers within a few seconds; through a proxy, if one is set, only
 *   the proxy is asked.
 */
async function checkReachable(host: string, context: WayContext): Promise<void> {
  const { env } = process;
  const proxy = env.HTTPS_PROXY || env.https_proxy || env.HTTP_PROXY || env.http_proxy;
  const limit = AbortSignal.timeout(CONNECT_LIMIT_MS);
  const signal = context.signal ? AbortSignal.any([limit, context.signal]) : limit;
  const asked = proxy || host;
  try {
    // Unnamed wait: it ends after 6 s.
    await fetch(asked, { method: 'HEAD', redirect: 'manual', signal });
  } catch (error) {
    context.signal?.throwIfAborted();
    const { cause, message } = error as Error;
    const reason = limit.aborted
      ? `no answer within ${CONNECT_LIMIT_MS / 1000} s`
      : cause instanceof Error
        ? cause.message
        : message;
    throw new Error(`${asked} cannot be reached (${reason})`);
  }
}
