// What is kept of a run for people to look at. Read in this order: tf-record, tensorboard.
export { appendImage, appendScalars, openEvents } from './tensorboard.ts';
