import type { Curves, Point, Update, View } from '../view.js';

/** What the page knows: the last view, and the curves put together from what came. */
export interface Store {
  view: View;
  curves: Pick<Curves, 'metrics' | 'span' | 'revision'> & { points: Point[] };
  /** Whether the process that serves the page is there. */
  connected: boolean;
  /** How much further the clock of that process is than this one. */
  skewMs: number;
}

export function takeUpdate(store: Store | undefined, { view, curves }: Update): Store {
  const { metrics, span, revision, start } = curves;
  const kept = store?.curves.revision === revision ? store.curves.points.slice(0, start) : [];
  const points = [...kept, ...curves.points];
  const skewMs = view.now - Date.now();
  return { view, curves: { metrics, span, revision, points }, connected: true, skewMs };
}
