"use client";

import { ConvexProviderWithAuth, ConvexReactClient } from "convex/react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { fetchConvexToken } from "@/lib/convex-token";

/**
 * The live connection of a signed-in person. The address comes from the server at run time, so that one build serves
 * every installation. `expectAuth` holds queries back until the first token is there.
 */
export function BackendProvider({ url, children }: { url: string; children: ReactNode }) {
  const [client] = useState(
    () =>
      new ConvexReactClient(url, {
        expectAuth: true,
        initialAuthTokenReuse: true,
        skipConvexDeploymentUrlCheck: true,
      }),
  );
  return (
    <ConvexProviderWithAuth client={client} useAuth={useSession}>
      {children}
    </ConvexProviderWithAuth>
  );
}

/**
 * The server has checked the session before it sent this page; from here on the token route is asked. When the session
 * has ended meanwhile, the sign-in page takes over and comes back here afterwards.
 */
function useSession() {
  const [isSignedIn, setSignedIn] = useState(true);
  const fetchAccessToken = useCallback(async () => {
    const token = await fetchConvexToken();
    if (token === null) {
      setSignedIn(false);
      const here = window.location.pathname + window.location.search;
      window.location.replace(`/login?next=${encodeURIComponent(here)}`);
    }
    return token;
  }, []);
  return useMemo(
    () => ({ isLoading: false, isAuthenticated: isSignedIn, fetchAccessToken }),
    [isSignedIn, fetchAccessToken],
  );
}
