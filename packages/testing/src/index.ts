export { samplePlan } from './sample-plan.js';
