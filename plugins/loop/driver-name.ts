export const driverName = 'loop.moored.dev';
