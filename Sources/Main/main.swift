print("sentry-api-proxy")
