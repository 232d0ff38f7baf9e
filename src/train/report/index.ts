// What is kept of a run for people to look at. Read in this order: log; tf-record, tensorboard; skipped; then the page: run-folder,
// series, chart, charts, headline, sheets, page (with html, format, style, script), write-report.
export { duration, short } from './format.ts';
export { appendLog, openLog, readLog } from './log.ts';
export { sampleFiles } from './run-folder.ts';
export { appendSkipped, openSkipped, readSkipped, type Skipped } from './skipped.ts';
export { appendImage, appendScalars, openEvents } from './tensorboard.ts';
export { writeReport } from './write-report.ts';
