export { type Dashboard, startDashboard } from './dashboard.js';
export { prometheusText } from './prometheus.js';
export { readStoredEvents } from './read-stored.js';
export { reportHtml } from './report/report.js';
export { createRunHistory, type RunHistory } from './run-history.js';
export type { View } from './view.js';
