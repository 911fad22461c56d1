const connectionTimeoutMs = 1_000;
const requestTimeoutMs = 3_000;

/**
 * How every client of an AWS service is set up. Region, credentials and AWS_ENDPOINT_URL are read from the environment by
 * the SDK itself; connections are kept alive.
 */
export const CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Without it the SDK only warns when the time is over.
    throwOnRequestTimeout: true,
    // The request's limit ends with the answer's head; this one watches over its body.
    socketTimeout: requestTimeoutMs,
  },
} as const;
