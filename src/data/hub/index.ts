// A hub of models, as a client that fetches published weights. Read in this order: hub, list, download.
export { type DownloadOptions, downloadFile } from './download.ts';
export { openRepository, type Repository } from './hub.ts';
export { type HubFile, listRepository, wantedFiles } from './list.ts';
