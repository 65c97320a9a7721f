# Exports what is mounted under the secrets folder. Sourced: by the start, and by probes, which get
# the container's variables but not those of the start.

# NAME FILE: false when there is no such file or nothing in it. Line ends of the last line are not
# part of a token, however the Secret was made.
export_secret() {
  local text
  [[ -r "$SECRETS_DIR/$2" ]] || return 1
  text="$(< "$SECRETS_DIR/$2")"
  text="${text%$'\r'}"
  [[ -n "$text" ]] || return 1
  export "$1=$text"
}

# Two that are of use only together.
export_pair() {
  if [[ -s "$SECRETS_DIR/$2" && -s "$SECRETS_DIR/$4" ]]; then
    export_secret "$1" "$2" && export_secret "$3" "$4"
  fi
}

export_secret CI_SERVER_TOKEN runner-token || true
export_secret REGISTRATION_TOKEN runner-registration-token || true
export_pair CACHE_S3_ACCESS_KEY accesskey CACHE_S3_SECRET_KEY secretkey

# The first name is misspelt in the official chart, and in Secrets made for it.
for file in gcs-applicaton-credentials-file gcs-application-credentials-file; do
  if [[ -s "$SECRETS_DIR/$file" ]]; then
    export GOOGLE_APPLICATION_CREDENTIALS="$SECRETS_DIR/$file"
  fi
done
if [[ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ]]; then
  export_pair CACHE_GCS_ACCESS_ID gcs-access-id CACHE_GCS_PRIVATE_KEY gcs-private-key
  # The Secret may hold it as in Google's JSON file, with \n for its line breaks.
  CACHE_GCS_PRIVATE_KEY="${CACHE_GCS_PRIVATE_KEY//\\n/$'\n'}"
fi
export_pair CACHE_AZURE_ACCOUNT_NAME azure-account-name CACHE_AZURE_ACCOUNT_KEY azure-account-key
