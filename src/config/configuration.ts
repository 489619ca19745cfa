/**
 * The configuration as the program reads it: every menu by name and type. The only file that knows which menus there are;
 * a new menu is a line in `menus` and a line below.
 */

import {
  type AaaSettings,
  aaaMenu,
  type PppSecret,
  type Profile,
  profileMenu,
  secretMenu,
} from '../aaa/settings.ts';
import type { AnyMenu } from '../base/setting.ts';
import { type ClientSettings, clientMenu } from '../client/settings.ts';
import {
  type ServiceSettings,
  serviceMenu,
  type UserSettings,
  userMenu,
} from '../console/services/settings.ts';
import { type PublishSettings, publishMenu } from '../dns/settings.ts';
import { type LicenceSettings, licenceMenu } from '../licence/settings.ts';
import { type MetricsSettings, metricsMenu } from '../metrics/settings.ts';
import {
  type RadiusIncoming,
  type RadiusServer,
  radiusIncomingMenu,
  radiusMenu,
} from '../radius/settings.ts';
import { type DrainSettings, drainMenu } from '../session/drain-settings.ts';
import { type EthernetInterface, ethernetMenu } from '../session/ethernet-settings.ts';
import { type IdentitySettings, identityMenu } from '../session/identity-settings.ts';
import { type ClusterSettings, clusterMenu } from '../session/registry/settings.ts';
import { routeMenu, type StaticRoute } from '../session/route-settings.ts';
import {
  type ServerSettings,
  type StaticServer,
  serverMenu,
  staticServerMenu,
} from '../session/server-settings.ts';
import { type Pool, poolMenu } from '../session/settings.ts';
import { itemsOf, settingsOf, type Tree } from './tree.ts';

/** All menus, in the order of `export`: what is named stands before what names it. */
export const menus: readonly AnyMenu[] = [
  identityMenu,
  ethernetMenu,
  poolMenu,
  profileMenu,
  secretMenu,
  radiusMenu,
  radiusIncomingMenu,
  aaaMenu,
  clusterMenu,
  drainMenu,
  licenceMenu,
  metricsMenu,
  publishMenu,
  serviceMenu,
  userMenu,
  serverMenu,
  staticServerMenu,
  clientMenu,
  routeMenu,
];

/** Lists are in the operator's order. Every name that is used exists: the store has checked it. */
export interface Configuration {
  readonly identity: IdentitySettings;
  /** Those of which something is configured. */
  readonly ethernet: readonly EthernetInterface[];
  readonly server: ServerSettings;
  readonly staticServers: readonly StaticServer[];
  readonly clients: readonly ClientSettings[];
  readonly profiles: readonly Profile[];
  readonly secrets: readonly PppSecret[];
  readonly pools: readonly Pool[];
  readonly routes: readonly StaticRoute[];
  readonly aaa: AaaSettings;
  /** In the order in which they are asked. */
  readonly radiusServers: readonly RadiusServer[];
  readonly radiusIncoming: RadiusIncoming;
  readonly cluster: ClusterSettings;
  readonly drain: DrainSettings;
  readonly licence: LicenceSettings;
  readonly metrics: MetricsSettings;
  readonly publish: PublishSettings;
  readonly services: readonly ServiceSettings[];
  readonly users: readonly UserSettings[];
}

/** What `tree`, made of `menus`, says. */
export function configurationOf(tree: Tree): Configuration {
  return {
    identity: settingsOf(tree, identityMenu),
    ethernet: itemsOf(tree, ethernetMenu).map(({ values }) => values),
    server: settingsOf(tree, serverMenu),
    staticServers: itemsOf(tree, staticServerMenu).map(({ values }) => values),
    clients: itemsOf(tree, clientMenu).map(({ values }) => values),
    profiles: itemsOf(tree, profileMenu).map(({ values }) => values),
    secrets: itemsOf(tree, secretMenu).map(({ values }) => values),
    pools: itemsOf(tree, poolMenu).map(({ values }) => values),
    routes: itemsOf(tree, routeMenu).map(({ values }) => values),
    aaa: settingsOf(tree, aaaMenu),
    radiusServers: itemsOf(tree, radiusMenu).map(({ values }) => values),
    radiusIncoming: settingsOf(tree, radiusIncomingMenu),
    cluster: settingsOf(tree, clusterMenu),
    drain: settingsOf(tree, drainMenu),
    licence: settingsOf(tree, licenceMenu),
    metrics: settingsOf(tree, metricsMenu),
    publish: settingsOf(tree, publishMenu),
    services: itemsOf(tree, serviceMenu).map(({ values }) => values),
    users: itemsOf(tree, userMenu).map(({ values }) => values),
  };
}
