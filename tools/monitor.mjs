const REPORT_EVERY_MS = 10_000;

/**
 * As `createMonitor` of @tutti/runtime, which is not built yet when the first of these waits begin:
 * says of each wait that lasts, every 10 s, for whom it is.
 *
 * @param {(line: string) => void} say
 * @param {{ now(): number, after(ms: number, task: () => void): { cancel(): void } }} clock
 */
export function createMonitor(say, clock = systemClock) {
  async function tellWhile(promise, { who, what, remedy }) {
    const started = clock.now();
    let timer;
    const arm = () => {
      timer = clock.after(REPORT_EVERY_MS, () => {
        const seconds = Math.round((clock.now() - started) / 1000);
        say(`Waiting for ${who} to ${what}, for ${seconds} s now. ${remedy}`);
        arm();
      });
    };
    arm();
    try {
      // Unnamed wait: what it awaits names its own waits.
      return await promise;
    } finally {
      timer.cancel();
    }
  }

  return {
    /**
     * @template T
     * @type {(promise: Promise<T>, wait: { who: string, what: string, remedy: string }) => Promise<T>}
     */
    race: (promise, wait) => tellWhile(promise, wait),
  };
}

const systemClock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
