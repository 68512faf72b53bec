/* credentials_file.h - the shared credentials file (~/.aws/credentials).
 *
 * INI form: [profile], then key = value. Read: aws_access_key_id,
 * aws_secret_access_key, aws_session_token; other keys are left to other tools.
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". */
#ifndef RC_CREDENTIALS_FILE_H
#define RC_CREDENTIALS_FILE_H

#include "reconciler/io/aws/credentials.h"

/* Fills ret with new strings (rc_credentials_done). RC_E_NOT_FOUND: no such file
 * or no such profile in it; RC_E_CREDENTIALS: it cannot be read, or the profile
 * is incomplete; the text names file and line. */
enum rc_err rc_credentials_file_read(const char *path, const char *profile,
                                     struct rc_credentials *ret, struct rc_error *error);

/* Frees the strings, the secret wiped first; *c is zero afterwards. */
void rc_credentials_done(struct rc_credentials *c);

#endif
